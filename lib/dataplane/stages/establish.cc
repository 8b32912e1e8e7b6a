// establish: first packets, one by one and in order, as netfilter treats them: track, ask the
// rules, and only then insert the flow. A packet that a rule refuses leaves no trace.
#include "conntrack/tracker.h"
#include "dataplane/admission.h"
#include "dataplane/stages.h"
#include "dataplane/verdict_cache.h"
#include "packet/parser.h"

namespace rampart {
namespace {

void judge_invalid(Burst& burst, uint32_t i, WorkerContext& context,
                   InvalidReason reason) noexcept {
    burst.ct_class[i] = CtClass::Invalid;
    burst.packet[i].invalid = reason;
    count_invalid(context, burst.packet[i]);
    judge(burst, i, context, nullptr);
}

void confirm(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index, PathId path,
             bool is_essential, Tick timeout) noexcept {
    const Packet& packet = burst.packet[i];
    Flow& flow = context.flows.flow(index);
    cache_verdict(flow, 0, packet, burst.ct_class[i], path, context);
    if (context.snapshot->conntrack.accounting) {
        flow.packets[0].store(1);
        flow.bytes[0].store(packet.ip_length);
    }
    FlowInfo info;
    info.original = tuple_of(packet);
    info.created_ns = context.now.wall_ns;
    const Admission admission = admit(context, info, is_essential);
    if (admission != Admission::Admitted) {
        context.flows.release(index);
        return burst.drop(
            i, admission == Admission::TableFull ? DropReason::TableFull : DropReason::SourceLimit);
    }
    const Tick deadline =
        context.now.tick + adapted(timeout_of(flow, tracker_of(packet.protocol), timeout), context);
    if (!context.flows.confirm(index, packet, burst.hash[i], info, deadline)) {
        if (info.source != 0) context.sources->remove(info.source);
        return burst.drop(i, DropReason::InsertFailed);
    }
    context.counters.inserted.add(1);
    if (is_essential) context.flows.set_essential(index);
    chronicle_new(context, index);
}

// A packet that could begin no flow in any case is INVALID, as with room; the others are refused.
void refuse(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    Flow scratch;
    const TrackOutcome outcome = tracker_of(packet.protocol)
                                     .first({packet, scratch, Direction::Original,
                                             context.snapshot->conntrack, context.now.tick});
    if (outcome.result == TrackResult::Invalid)
        return judge_invalid(burst, i, context, outcome.reason);
    burst.ct_class[i] = CtClass::New;
    burst.drop(i, DropReason::TableFull);
}

void start_flow(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    Packet& packet = burst.packet[i];
    const FlowIndex index = may_enter(context) ? context.flows.allocate() : kNoFlow;
    if (index == kNoFlow) return refuse(burst, i, context);
    Flow& flow = context.flows.flow(index);
    flow.created = context.now.tick;
    const TrackOutcome outcome = tracker_of(packet.protocol)
                                     .first({packet, flow, Direction::Original,
                                             context.snapshot->conntrack, context.now.tick});
    if (outcome.result == TrackResult::Invalid) {
        context.flows.release(index);
        return judge_invalid(burst, i, context, outcome.reason);
    }
    burst.flow[i] = FlowRef(index, Direction::Original);
    burst.status[i] = flow.status.load();
    burst.ct_class[i] = CtClass::New;
    const Judged judged = judge(burst, i, context, nullptr);
    if (burst.verdict[i] == Verdict::Forward)
        confirm(burst, i, context, index, judged.path, judged.is_essential, outcome.timeout);
    else
        context.flows.release(index);
}

}  // namespace

void establish(Burst& burst, WorkerContext& context) noexcept {
    for_each(burst.starting, [&](uint32_t i) { burst.ct_class[i] = CtClass::New; });
    propose_rules(burst, burst.starting, context.snapshot->ruleset.forward, context);
    for_each(burst.starting, [&](uint32_t i) {
        // An earlier packet of this burst may have started the same flow.
        burst.flow[i] = context.flows.find_again(burst.packet[i], burst.hash[i]);
        if (burst.flow[i].is_none() || !track_packet(burst, i, context)) {
            burst.flow[i] = FlowRef{};
            if (burst.packet[i].is_icmp_error)  // quotes an unknown flow, and cannot start one
                judge_invalid(burst, i, context, InvalidReason::IcmpUnrelated);
            else
                start_flow(burst, i, context);
        } else if (burst.flow[i].is_none()) {
            judge_invalid(burst, i, context, burst.packet[i].invalid);
        } else {
            burst.status[i] = context.flows.flow(burst.flow[i].index()).status.load();
            classify_tracked(burst, i, context);
        }
    });
}

}  // namespace rampart
