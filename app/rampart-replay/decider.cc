#include "decider.h"

#include "packet/parser.h"
#include "rules/walk.h"

namespace rampart {
namespace {

bool was_asked(const Burst& burst, uint32_t i) noexcept {
    if (burst.verdict[i] == Verdict::Forward) return true;
    if (burst.verdict[i] != Verdict::Drop) return false;
    const DropReason reason = burst.reason[i];
    return reason == DropReason::Policy || reason == DropReason::Rule ||
           reason == DropReason::Reject;
}

bool agrees(const Burst& burst, uint32_t i, const Judgement& judgement) noexcept {
    switch (judgement.step) {
        case Step::Accept:
            return burst.verdict[i] == Verdict::Forward;
        case Step::Reject:
            return burst.verdict[i] == Verdict::Drop && burst.reason[i] == DropReason::Reject;
        default:
            break;
    }
    const DropReason reason = judgement.by_policy ? DropReason::Policy : DropReason::Rule;
    return burst.verdict[i] == Verdict::Drop && burst.reason[i] == reason;
}

}  // namespace

DeciderFinder::DeciderFinder(const Ruleset& ruleset)
    : ruleset_(ruleset), by_index_(ruleset.index_count) {
    for (const Chain& chain : ruleset.chains) {
        for (const Rule& rule : chain.rules)
            by_index_[rule.rule_index] = {rule.id, rule.place};
        if (chain.policy != Policy::None)
            by_index_[chain.policy_index] = {.id = chain.name, .is_policy = true};
    }
    if (ruleset.allow_neighbour_discovery)
        by_index_[ruleset.neighbour_discovery_index] = {.id = "neighbour-discovery"};
}

Decider DeciderFinder::find(const Burst& burst, uint32_t i) {
    if (ruleset_.forward == Ruleset::kNoChain || !was_asked(burst, i)) return {};
    const Packet& packet = burst.packet[i];
    const Tuple tuple = tuple_of(packet);
    const RuleInput input{
        packet,         tuple,          burst.ct_class[i], burst.flow[i].direction(),
        packet.in_port, packet.out_port};
    Judgement judgement;
    if (paths_ != nullptr)
        judgement = walk(ruleset_, ruleset_.forward, input, *paths_, packet.ip_length);
    if (judgement.path == kNoPath) {  // no table yet, or full: a fresh one holds any one path
        paths_ = std::make_unique<PathTable>(ruleset_.index_count);
        judgement = walk(ruleset_, ruleset_.forward, input, *paths_, packet.ip_length);
    }
    if (judgement.path == kNoPath) return {};
    Decider decider = by_index_[paths_->node(judgement.path).rule.load()];
    decider.contradicts = !agrees(burst, i, judgement);
    return decider;
}

}  // namespace rampart
