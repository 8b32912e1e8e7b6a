// raw: the chain that sees packets before connection tracking does (netfilter's priority -300).
//
// It may drop a packet, or exempt it from tracking (notrack). After reassembly and on the worker
// that owns the flow by its key, so each packet is judged once: a worker that it is handed on to is
// told so (hand_off.h). Its verdict is not cached: there is no flow yet to remember it.
#include <rte_mbuf.h>

#include "dataplane/hand_off.h"
#include "dataplane/stages.h"
#include "packet/parser.h"
#include "rules/walk.h"

namespace rampart {
namespace {

Step judge_raw(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    Packet& packet = burst.packet[i];
    const Ruleset& ruleset = context.snapshot->ruleset;
    const Tuple tuple = tuple_of(packet);
    RuleInput input{.packet = packet,
                    .tuple = tuple,
                    .ct_class = CtClass::Untracked,
                    .in = packet.in_port,
                    .now = context.now,
                    .routing = context.routing,
                    .generation = context.snapshot->generation,
                    .log = context.rule_log,
                    .paths = context.paths};
    const Judgement judgement = walk(ruleset, ruleset.raw, input, *context.paths, packet.ip_length);
    burst.path[i] = judgement.path;
    if (judgement.path != kNoPath) context.paths->count(judgement.path, 1, packet.ip_length);
    burst.wanted_helper[i] = input.wanted_helper;
    if (judgement.step == Step::Accept) return judgement.step;
    if (judgement.step == Step::Notrack) {
        packet.invalid = InvalidReason::None;
        burst.ct_class[i] = CtClass::Untracked;
        burst.flowless |= bit(i);
        return judgement.step;
    }
    burst.flowless &= ~bit(i);
    burst.drop(i, judgement.by_policy ? DropReason::Policy : DropReason::Rule);
    return judgement.step;
}

// What another worker has asked already is not asked, or counted, again.
bool has_passed(Burst& burst, uint32_t i) noexcept {
    const rte_mbuf& mbuf = *burst.mbuf[i];
    if (!burst.is_handed || burst.arrived & bit(i) || (mbuf.port & kRawPassed) == 0) return false;
    burst.wanted_helper[i] = static_cast<uint8_t>(mbuf.port >> kHelperShift);
    burst.packet[i].mark = mbuf.hash.usr;
    return true;
}

void judge_batch(Burst& burst, KeyBatch& batch, WorkerContext& context) noexcept {
    batch.keep_if([&](uint32_t i, uint32_t) {
        if (!has_passed(burst, i) && judge_raw(burst, i, context) != Step::Accept) return false;
        burst.raw_passed |= bit(i);
        return true;
    });
}

}  // namespace

void raw(Burst& burst, WorkerContext& context) noexcept {
    for_each(burst.flowless, [&](uint32_t i) { judge_raw(burst, i, context); });
    judge_batch(burst, burst.keys4, context);
    judge_batch(burst, burst.keys6, context);
}

}  // namespace rampart
