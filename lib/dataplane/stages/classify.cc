// classify: what the rules say, from the flow's cached verdict or by walking the chain (design D1).
#include <algorithm>

#include "dataplane/helper_flows.h"
#include "dataplane/stages.h"
#include "dataplane/verdict_cache.h"
#include "packet/parser.h"
#include "rules/classifier/classifier.h"
#include "rules/flow_judgement.h"
#include "rules/walk.h"

namespace rampart {
namespace {

void accept(Burst& burst, uint32_t i) noexcept {
    burst.verdict[i] = burst.packet[i].out_port == kToBox ? Verdict::Deliver : Verdict::Forward;
}

void apply(Burst& burst, uint32_t i, WorkerContext& context, Step step, RejectWith with,
           bool by_policy, Flow* flow) noexcept {
    if (step == Step::Accept) {
        accept(burst, i);
    } else if (step == Step::Reject) {
        burst.drop(i, DropReason::Reject);
        answer_reject(burst, i, context, with, flow);
    } else {
        burst.drop(i, by_policy ? DropReason::Policy : DropReason::Rule);
    }
}

// That of the master; without one its own.
uint8_t helper_for_rules(FlowRef ref, const WorkerContext& context) noexcept {
    if (ref.is_none() || context.helpers == nullptr) return 0;
    const FlowTies& ties = context.flows.ties(ref.index());
    if (ties.master_helper != 0 || ties.helper_slot == 0) return ties.master_helper;
    return context.helpers->helper_of_slot(ties.helper_slot);
}

// A flow that began under other rules (reload.established: recheck): would these let it begin?
// If not, it is ended here.
bool outlives_reload(Burst& burst, uint32_t i, WorkerContext& context, Flow& flow) noexcept {
    const Ruleset& ruleset = context.snapshot->ruleset;
    const FlowIndex index = burst.flow[i].index();
    const InterfaceIndex first_out = flow.out_port[0];
    const int chain = first_out == kToBox                      ? ruleset.input
                      : flow.in_port[0].load() == kNoInterface ? ruleset.output
                                                               : ruleset.forward;
    if (chain == Ruleset::kNoChain) return true;  // nothing passes in any case, or all does
    Tuple original = context.flows.original_tuple(index);
    if (flow.has(flow_status::kDstNat)) {
        const Tuple behind = invert(context.flows.tuple_of(index, Direction::Reply));
        original.dst = behind.dst;
        original.dst_port = behind.dst_port;
    }
    const bool was_expected = flow.has(flow_status::kExpected);
    const InterfaceIndex in = flow.in_port[0].load();
    const FlowJudgement judgement =
        judge_flow(ruleset, chain,
                   {.packet = burst.packet[i],
                    .tuple = original,
                    .ct_class = was_expected ? CtClass::Related : CtClass::New,
                    .direction = Direction::Original,
                    .in = in,
                    .out = first_out == kToBox ? kNoInterface : first_out,
                    .flow = &flow,
                    .status = static_cast<uint16_t>(
                        flow.status.load() &
                        (flow_status::kExpected | flow_status::kSrcNat | flow_status::kDstNat)),
                    .now = context.now});
    if (!judgement.is_refused) {
        flow.generation = context.epoch;
        flow.forget_verdicts();
        return true;
    }
    if (!flow.has(flow_status::kDying)) {
        context.flows.erase(index);
        context.counters.erased.add(1);
        context.paths->count_flow_cut(judgement.rule);
    }
    burst.drop(i, DropReason::Recheck);
    return false;
}

}  // namespace

RuleInput rule_input(Burst& burst, uint32_t i, const Tuple& tuple,
                     WorkerContext& context) noexcept {
    Packet& packet = burst.packet[i];
    const FlowRef ref = burst.flow[i];
    return {.packet = packet,
            .tuple = tuple,
            .ct_class = burst.ct_class[i],
            .direction = ref.direction(),
            .in = packet.in_port,
            .out = egress_for_rules(packet),
            .flow = ref.is_none() ? nullptr : &context.flows.flow(ref.index()),
            .status = burst.status[i],
            .now = context.now,
            .flow_index = ref.index(),
            .counted_flows = context.counted_flows,
            .interfaces = context.snapshot->ruleset.names.interfaces,
            .helper = helper_for_rules(ref, context),
            .routing = context.routing,
            .generation = context.snapshot->generation,
            .log = context.rule_log,
            .paths = context.paths};
}

namespace {

// That of all packets of this class and direction, when the rules tell no more of them apart.
const Rule* rule_by_state(const Burst& burst, uint32_t i, const Ruleset& ruleset,
                          int chain) noexcept {
    if (ruleset.classifier == nullptr) return nullptr;
    const StateRules* by_state = ruleset.classifier->by_state(static_cast<size_t>(chain));
    if (by_state == nullptr) return nullptr;
    return by_state->deciding(burst.packet[i].family,
                              ct_state(burst.ct_class[i], burst.flow[i].direction()));
}

// The first rule of the chain that matches, where the index was asked and that is all it takes.
const Rule* rule_by_key(Burst& burst, uint32_t i, const Ruleset& ruleset, int chain,
                        const Tuple& tuple) noexcept {
    const WalkStart start = start_of_walk(burst, i, chain);
    if (!start.is_looked_up) return nullptr;
    Packet& packet = burst.packet[i];
    return decided_by_key(ruleset.chains[static_cast<size_t>(chain)].rules, start.first_rule,
                          {.packet = packet,
                           .tuple = tuple,
                           .ct_class = burst.ct_class[i],
                           .direction = burst.flow[i].direction(),
                           .in = packet.in_port,
                           .out = egress_for_rules(packet)});
}

Judged carry_out(Burst& burst, uint32_t i, WorkerContext& context, const Judgement& judgement,
                 Flow* flow) noexcept {
    burst.path[i] = judgement.path;
    if (judgement.path != kNoPath)
        context.paths->count(judgement.path, 1, burst.packet[i].ip_length);
    apply(burst, i, context, judgement.step, judgement.reject_with, judgement.by_policy, flow);
    return {judgement.cacheable ? judgement.path : kNoPath, judgement.is_essential};
}

// By a rule that is known to be the first to match, and decides alone.
Judged decide(Burst& burst, uint32_t i, WorkerContext& context, const Rule& rule,
              Flow* flow) noexcept {
    return carry_out(burst, i, context,
                     judgement_of(rule, *context.paths, burst.packet[i].ip_length), flow);
}

// For the packets of this direction that follow.
void remember(const Burst& burst, uint32_t i, const WorkerContext& context, Flow& flow,
              PathId path) noexcept {
    // A later packet of this burst may have changed the status since: then this is history.
    if (burst.status[i] == flow.status.load())
        cache_verdict(flow, static_cast<unsigned>(burst.flow[i].direction()), burst.packet[i],
                      burst.ct_class[i], path, context);
}

Judged judge_without_chain(Burst& burst, uint32_t i) noexcept {
    // What the box itself sends passes unless a chain `output` says otherwise.
    if (burst.packet[i].in_port == kNoInterface)
        accept(burst, i);
    else
        burst.drop(i, DropReason::NoPolicy);
    return {};
}

Judged judge_by_walk(Burst& burst, uint32_t i, WorkerContext& context, int chain, Flow* flow,
                     const Tuple& tuple) noexcept {
    RuleInput input = rule_input(burst, i, tuple, context);
    const Judgement judgement = walk(context.snapshot->ruleset, start_of_walk(burst, i, chain),
                                     input, *context.paths, burst.packet[i].ip_length);
    if (input.flow_changed) input.flow->forget_verdicts();
    return carry_out(burst, i, context, judgement, flow);
}

}  // namespace

Judged judge(Burst& burst, uint32_t i, WorkerContext& context, Flow* flow,
             const Tuple* tuple) noexcept {
    const Ruleset& ruleset = context.snapshot->ruleset;
    const int chain = chain_of(burst.packet[i], ruleset);
    if (chain == Ruleset::kNoChain) return judge_without_chain(burst, i);
    const Rule* rule = rule_by_state(burst, i, ruleset, chain);
    if (rule == nullptr) {
        if (tuple == nullptr) tuple = &tuple_for_rules(burst, i);
        rule = rule_by_key(burst, i, ruleset, chain, *tuple);
    }
    if (rule == nullptr) return judge_by_walk(burst, i, context, chain, flow, *tuple);
    return decide(burst, i, context, *rule, flow);
}

void classify_tracked(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    Flow& flow = context.flows.flow(burst.flow[i].index());
    if (flow.generation != context.epoch && context.snapshot->reload.recheck &&
        !packet.is_icmp_error && !outlives_reload(burst, i, context, flow))
        return;
    const unsigned side = static_cast<unsigned>(burst.flow[i].direction());
    if (packet.is_icmp_error || flow.out_port[side] != packet.out_port ||
        !has_cached_verdict(flow, side, packet, burst.ct_class[i], context.epoch)) {
        const PathId path = judge(burst, i, context, &flow).path;
        if (!packet.is_icmp_error) remember(burst, i, context, flow, path);
        return;
    }
    const PathId path = flow.path[side];
    burst.path[i] = path;
    context.paths->count(path, 1, packet.ip_length);
    const PathNode& node = context.paths->node(path);
    const Ruleset& ruleset = context.snapshot->ruleset;
    if (node.has_effects) {
        const Tuple& tuple = tuple_for_rules(burst, i);
        RuleInput input = rule_input(burst, i, tuple, context);
        run_statements(ruleset, *context.paths, path, input);
    }
    const Chain& chain = ruleset.chains[static_cast<size_t>(chain_of(packet, ruleset))];
    apply(burst, i, context, node.step, node.reject_with, node.rule.load() == chain.policy_index,
          &flow);
}

namespace {

// A packet of a flow that class and direction alone decide about: it need not wait for what the
// index proposes. False: nothing was done.
bool classify_by_state(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    const Ruleset& ruleset = context.snapshot->ruleset;
    Flow& flow = context.flows.flow(burst.flow[i].index());
    const int chain = chain_of(packet, ruleset);
    if (packet.is_icmp_error || chain == Ruleset::kNoChain ||
        (flow.generation != context.epoch && context.snapshot->reload.recheck))
        return false;
    const Rule* rule = rule_by_state(burst, i, ruleset, chain);
    if (rule == nullptr) return false;
    remember(burst, i, context, flow, decide(burst, i, context, *rule, &flow).path);
    return true;
}

// Those of `tracked` that the rules will be asked about.
PacketMask without_cached_verdict(const Burst& burst, PacketMask tracked,
                                  const WorkerContext& context) noexcept {
    PacketMask mask = 0;
    for_each(tracked, [&](uint32_t i) {
        const Packet& packet = burst.packet[i];
        const Flow& flow = context.flows.flow(burst.flow[i].index());
        const unsigned side = static_cast<unsigned>(burst.flow[i].direction());
        if (packet.is_icmp_error || flow.out_port[side] != packet.out_port ||
            !has_cached_verdict(flow, side, packet, burst.ct_class[i], context.epoch))
            mask |= bit(i);
    });
    return mask;
}

}  // namespace

void classify(Burst& burst, WorkerContext& context) noexcept {
    PacketMask tracked = 0;
    for_each(burst.tracked, [&](uint32_t i) {
        if (!classify_by_state(burst, i, context)) tracked |= bit(i);
    });
    propose_rules(burst, without_cached_verdict(burst, tracked, context) | burst.flowless, context);
    for_each(tracked, [&](uint32_t i) { classify_tracked(burst, i, context); });
    for_each(burst.flowless, [&](uint32_t i) { judge(burst, i, context, nullptr); });
}

}  // namespace rampart
