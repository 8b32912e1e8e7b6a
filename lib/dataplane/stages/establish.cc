// establish: first packets, one by one and in order, as netfilter treats them: track, ask the
// rules, and only then insert the flow. A packet that a rule refuses leaves no trace.
#include "conntrack/tracker.h"
#include "dataplane/admission.h"
#include "dataplane/departure.h"
#include "dataplane/nat.h"
#include "dataplane/stages.h"
#include "dataplane/verdict_cache.h"
#include "packet/parser.h"

namespace rampart {
namespace {

bool translates_packet(const Burst& burst, uint32_t i, const WorkerContext& context) noexcept {
    return translates(context) && context.is_routed(burst.packet[i].in_port);
}

void judge_invalid(Burst& burst, uint32_t i, WorkerContext& context,
                   InvalidReason reason) noexcept {
    burst.ct_class[i] = CtClass::Invalid;
    burst.packet[i].invalid = reason;
    count_invalid(context, burst.packet[i]);
    if (!finish_route(burst, i, context)) return;
    judge(burst, i, context, nullptr);
}

// What start_flow() found out about a flow before it is confirmed.
struct Beginning {
    FlowIndex index;
    Binding binding;
    SourceChoice source;
    PathId path = kNoPath;
    bool is_essential = false;
    Tick timeout = 0;
};

// Into the table, under the tuples that its packets will have. False: the packet is dropped.
bool insert(Burst& burst, uint32_t i, WorkerContext& context, const Beginning& beginning,
            const FlowInfo& info, Tick deadline) noexcept {
    FlowTable& flows = context.flows;
    const FlowIndex index = beginning.index;
    const Binding& binding = beginning.binding;
    if (!is_translated_status(flows.flow(index).status.load())) {
        if (!flows.confirm(index, burst.packet[i], burst.hash[i], info, deadline)) {
            burst.drop(i, DropReason::InsertFailed);
            return false;
        }
    } else {
        const FlowReply reply{.reply = binding.reply(),
                              .pool = beginning.source.pool,
                              .masquerade = beginning.source.masquerade};
        if (!flows.confirm_translated(index, info, reply, deadline)) {
            burst.drop(i, DropReason::NatExhausted);
            return false;
        }
        set_rewrites(flows.forwarding(index), binding.original, reply.reply);
        if (reply.pool != 0) context.nat->note_pool(static_cast<uint16_t>(reply.pool - 1));
    }
    if (translates(context)) context.nat->sources.add(index, binding.original);
    return true;
}

void confirm(Burst& burst, uint32_t i, WorkerContext& context,
             const Beginning& beginning) noexcept {
    const Packet& packet = burst.packet[i];
    const FlowIndex index = beginning.index;
    Flow& flow = context.flows.flow(index);
    const bool is_essential = beginning.is_essential;
    const PathId path = beginning.path;
    const Tick timeout = beginning.timeout;
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
    if (!insert(burst, i, context, beginning, info, deadline)) {
        if (info.source != 0) context.sources->remove(info.source);
        return;
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

// The destination's translation, and with it the way.
bool enter_routed(Burst& burst, uint32_t i, WorkerContext& context, Binding& binding) noexcept {
    if (!translates_packet(burst, i, context)) return true;
    Flow& flow = context.flows.flow(burst.flow[i].index());
    if (!bind_destination(burst, i, context, flow, binding)) return false;
    burst.status[i] = flow.status.load();
    if (binding.changes_destination()) {
        burst.as_translated[i] = binding.translated;
        burst.translated |= bit(i);
        burst.proposed &= ~bit(i);
    }
    return finish_route(burst, i, context);
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
    Beginning beginning{.index = index,
                        .binding = Binding(tuple_of(packet)),
                        .source = {},
                        .timeout = outcome.timeout};
    if (!enter_routed(burst, i, context, beginning.binding)) return context.flows.release(index);
    const Judged judged = judge(burst, i, context, nullptr);
    beginning.path = judged.path;
    beginning.is_essential = judged.is_essential;
    const bool is_accepted =
        burst.verdict[i] == Verdict::Forward || burst.verdict[i] == Verdict::Deliver;
    if (is_accepted && (!translates_packet(burst, i, context) ||
                        bind_source(burst, i, context, flow, beginning.binding, beginning.source)))
        confirm(burst, i, context, beginning);
    else
        context.flows.release(index);
}

}  // namespace

void establish(Burst& burst, WorkerContext& context) noexcept {
    for_each(burst.starting, [&](uint32_t i) { burst.ct_class[i] = CtClass::New; });
    propose_rules(burst, burst.starting, context);
    for_each(burst.starting, [&](uint32_t i) {
        // An earlier packet of this burst may have started the same flow.
        const TableEntry entry = context.flows.keys().find(burst.packet[i], burst.hash[i]);
        if (entry.is_foreign()) return burst.hand_over(i, entry.worker());
        burst.flow[i] = entry.is_none() ? FlowRef{} : entry.toward(burst.packet[i].swapped);
        if (burst.flow[i].is_none() || !track_packet(burst, i, context)) {
            burst.flow[i] = FlowRef{};
            if (burst.packet[i].is_icmp_error)  // quotes an unknown flow, and cannot start one
                judge_invalid(burst, i, context, InvalidReason::IcmpUnrelated);
            else
                start_flow(burst, i, context);
        } else if (burst.flow[i].is_none()) {
            judge_invalid(burst, i, context, burst.packet[i].invalid);
        } else if (finish_route(burst, i, context)) {
            burst.status[i] = context.flows.flow(burst.flow[i].index()).status.load();
            classify_tracked(burst, i, context);
        }
    });
}

}  // namespace rampart
