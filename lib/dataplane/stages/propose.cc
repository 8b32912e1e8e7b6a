// propose_rules: the classifier is asked for many packets at once, which costs each a fraction of
// what it would cost alone; the walks that follow begin with its answers.
#include "dataplane/stages.h"
#include "packet/parser.h"
#include "rules/classifier/classifier.h"

namespace rampart {
namespace {

static_assert(kBurstSize <= CutTree::kBatch);

// Of one family at a time: keys of both look alike.
class Batch {
  public:
    void add(Burst& burst, uint32_t i, const Attributes& attributes) noexcept {
        const Packet& packet = burst.packet[i];
        const Tuple& tuple = tuple_for_rules(burst, i);
        make_key(keys_[count_],
                 {tuple, burst.ct_class[i], burst.flow[i].direction(), packet.in_port,
                  egress_for_rules(packet)},
                 attributes);
        position_[count_++] = static_cast<uint8_t>(i);
    }
    void look_up(Burst& burst, Family family, const Classifier& classifier,
                 size_t chain) const noexcept {
        if (count_ == 0) return;
        uint32_t rules[kBurstSize];
        classifier.first(chain, keys_, count_, family, rules);
        for (uint32_t at = 0; at < count_; ++at)
            burst.first_rule[position_[at]] = rules[at];
    }

  private:
    uint32_t count_ = 0;
    uint8_t position_[kBurstSize];
    RuleKey keys_[kBurstSize];
};

void propose_in(Burst& burst, PacketMask mask, int chain, WorkerContext& context) noexcept {
    const Classifier* classifier = context.snapshot->ruleset.classifier.get();
    if (mask == 0 || chain == Ruleset::kNoChain || classifier == nullptr) return;
    const auto place = static_cast<size_t>(chain);
    if (!classifier->has_index(place)) return;
    burst.proposed |= mask;
    const StateRules* by_state = classifier->by_state(place);
    PacketMask left = mask;
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        if (left == 0) return;
        Batch batch;
        for_each(left, [&](uint32_t i) {
            if (burst.packet[i].family != family) return;
            left &= ~bit(i);
            const CtClass ct_class = burst.ct_class[i];
            burst.proposed_class[i] = ct_class;
            if (by_state != nullptr) {
                burst.first_rule[i] =
                    by_state->first(family, ct_state(ct_class, burst.flow[i].direction()));
                if (burst.first_rule[i] != StateRules::kAsks) return;
            }
            batch.add(burst, i, classifier->attributes());
        });
        batch.look_up(burst, family, *classifier, place);
    }
}

}  // namespace

void propose_rules(Burst& burst, PacketMask mask, WorkerContext& context) noexcept {
    burst.proposed = 0;
    const Ruleset& ruleset = context.snapshot->ruleset;
    if (context.routed_ports == 0) return propose_in(burst, mask, ruleset.forward, context);
    for (const int chain : {ruleset.forward, ruleset.input, ruleset.output}) {
        PacketMask own = 0;
        for_each(mask, [&](uint32_t i) {
            if (chain_of(burst.packet[i], ruleset) == chain) own |= bit(i);
        });
        propose_in(burst, own, chain, context);
    }
}

}  // namespace rampart
