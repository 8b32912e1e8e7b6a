// track: what each packet does to the flow it belongs to, in the order of arrival.
#include "conntrack/tracker.h"
#include "conntrack/trackers/settled.h"
#include "dataplane/admission.h"
#include "dataplane/departure.h"
#include "dataplane/helper_flows.h"
#include "dataplane/stages.h"
#include "dataplane/verdict_cache.h"

namespace rampart {
namespace {

// netfilter's ctinfo: decided by the status before this packet (nf_ct_get / resolve_normal_ct).
CtClass class_of(const Flow& flow, Direction direction) noexcept {
    // Without a branch: the direction of the next packet is anybody's guess.
    if ((direction == Direction::Reply) | flow.has(flow_status::kSeenReply)) [[likely]]
        return CtClass::Established;
    return flow.has(flow_status::kExpected) ? CtClass::Related : CtClass::New;
}

// Who gives way in a full table: what is ASSURED does not, unless it is being closed.
void note_eviction_rank(WorkerContext& context, FlowIndex index, const Tracker& tracker) noexcept {
    const Flow& flow = context.flows.flow(index);
    if (!flow.has(flow_status::kAssured)) return;
    if (tracker.closing_states >> flow.state.load() & 1)
        context.flows.set_closing(index);
    else
        context.flows.set_assured(index);
}

// Null: packets are not counted.
FlowAccounting* accounting_of(WorkerContext& context) noexcept {
    return context.snapshot->conntrack.accounting ? context.flows.accounting() : nullptr;
}

void count(WorkerContext& context, FlowIndex index, Direction direction,
           const Packet& packet) noexcept {
    FlowAccounting* all = accounting_of(context);
    if (all != nullptr)
        count_traffic(context.flows.flow(index), all[index], direction, packet.ip_length);
}

// What the short ways below need, read once per burst: the compiler must take every byte that a
// packet writes for a change of anything it knows.
struct BurstConstants {
    explicit BurstConstants(WorkerContext& context) noexcept
        : flows(context.flows.flows()),
          now(context.now.tick),
          epoch(context.epoch),
          accounting(accounting_of(context)),
          is_routed(context.routed_ports != 0),
          timeouts(SettledTimeouts::of(context.snapshot->conntrack,
                                       [&](Tick ticks) { return adapted(ticks, context); })) {}
    Flow* flows;
    Tick now;
    uint32_t epoch;
    FlowAccounting* accounting;
    bool is_routed;
    SettledTimeouts timeouts;
};

// The second line of a TCP flow, a few packets before it is needed: asked for with the first line
// of all, many of these requests are lost.
constexpr uint32_t kPrefetchAhead = 8;

inline void prefetch_next(const Burst& burst, PacketMask& ahead, const WorkerContext& context,
                          const BurstConstants& with) noexcept {
    if (ahead == 0) return;
    const auto i = static_cast<uint32_t>(__builtin_ctzll(ahead));
    ahead &= ahead - 1;
    const Packet& packet = burst.packet[i];
    context.flows.prefetch(burst.flow[i], 1);
    if (with.accounting != nullptr) context.flows.prefetch_accounting(burst.flow[i]);
    if (packet.tcp_flags & (tcp_flag::kFin | tcp_flag::kRst))
        context.flows.prefetch_rank(burst.flow[i]);
}

// The tracker's work for a packet of a settled flow. False: nothing was done.
inline bool track_settled(Burst& burst, uint32_t i, WorkerContext& context,
                          const BurstConstants& with) noexcept {
    const FlowRef ref = burst.flow[i];
    const Packet& packet = burst.packet[i];
    Flow& flow = with.flows[ref.index()];
    Tick timeout;
    if (!is_settled(flow.status.load()) || is_past(flow.deadline.load(), with.now) ||
        !update_settled(flow, packet, ref.direction(), with.timeouts, timeout))
        return false;
    context.flows.refresh(flow, ref.index(), with.now + timeout);
    if (with.accounting != nullptr)
        count_traffic(flow, with.accounting[ref.index()], ref.direction(), packet.ip_length);
    burst.ct_class[i] = CtClass::Established;
    return true;
}

// The short way of most packets: the rules accepted this direction of the flow before. Anything
// else, a cached drop included, goes through classify.
inline bool forward_as_before(Burst& burst, uint32_t i, WorkerContext& context,
                              const BurstConstants& with, PathRun& run,
                              Departures& departures) noexcept {
    Packet& packet = burst.packet[i];
    const FlowRef ref = burst.flow[i];
    const Flow& flow = with.flows[ref.index()];
    const unsigned side = static_cast<unsigned>(ref.direction());
    if (!has_cached_verdict(flow, side, packet, burst.ct_class[i], with.epoch) ||
        packet.is_icmp_error || flow.has(flow_status::kHelper))
        return false;
    const bool is_routed = with.is_routed && context.is_routed(packet.in_port);
    const Forwarding* forwarding = is_routed ? &context.flows.forwarding(ref.index()) : nullptr;
    if (is_routed && !departures.can_depart(burst, i, flow, *forwarding, side)) return false;
    const PathId path = flow.path[side];
    if (!run.count_accepted(path, packet.ip_length)) return false;
    burst.path[i] = path;
    packet.out_port = flow.out_port[side];
    burst.verdict[i] = packet.out_port == kToBox ? Verdict::Deliver : Verdict::Forward;
    if (is_routed) departures.depart(burst, i, flow, *forwarding, side);
    return true;
}

// Both of them at once for the packets up to the first that needs more; returns that one and those
// behind it. Everything is asked before anything is changed. A function of its own, and small,
// because the loop that can do everything has no registers to spare.
template <bool kIsRouted>
[[gnu::noinline]] PacketMask forward_settled(Burst& burst, PacketMask wanted, PacketMask& ahead,
                                             WorkerContext& context, const BurstConstants& with,
                                             PathRun& run, Departures& departures) noexcept {
    for (; wanted != 0; wanted &= wanted - 1) {
        const auto i = static_cast<uint32_t>(__builtin_ctzll(wanted));
        Packet& packet = burst.packet[i];
        const FlowRef ref = burst.flow[i];
        Flow& flow = with.flows[ref.index()];
        const unsigned side = static_cast<unsigned>(ref.direction());
        const PathId path = flow.path[side];
        Tick timeout;
        if (!is_settled(flow.status.load()) || is_past(flow.deadline.load(), with.now) ||
            !has_cached_verdict(flow, side, packet, CtClass::Established, with.epoch) ||
            !run.accepts(path))
            break;
        const Forwarding* forwarding = nullptr;
        if constexpr (kIsRouted) {
            forwarding = &context.flows.forwarding(ref.index());
            if (!context.is_routed(packet.in_port) ||
                !departures.can_depart(burst, i, flow, *forwarding, side))
                break;
        }
        if (!update_settled(flow, packet, ref.direction(), with.timeouts, timeout)) break;
        prefetch_next(burst, ahead, context, with);
        context.flows.refresh(flow, ref.index(), with.now + timeout);
        if (with.accounting != nullptr)
            count_traffic(flow, with.accounting[ref.index()], ref.direction(), packet.ip_length);
        run.count(packet.ip_length);
        burst.ct_class[i] = CtClass::Established;
        burst.path[i] = path;
        packet.out_port = flow.out_port[side];
        burst.verdict[i] = packet.out_port == kToBox ? Verdict::Deliver : Verdict::Forward;
        if constexpr (kIsRouted) departures.depart(burst, i, flow, *forwarding, side);
    }
    return wanted;
}

// What the rules may do to the flow on behalf of this packet concerns the later ones of the burst:
// those must wait for it.
void keep_for_rules(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    Flow& flow = context.flows.flow(burst.flow[i].index());
    burst.status[i] = flow.status.load();
    if (flow.has(flow_status::kHelper)) burst.departing |= bit(i);
    const unsigned side = static_cast<unsigned>(burst.flow[i].direction());
    if (context.snapshot->ruleset.changes_flows &&
        (burst.packet[i].is_icmp_error ||
         !has_cached_verdict(flow, side, burst.packet[i], burst.ct_class[i], context.epoch)))
        flow.forget_verdicts();
}

const SequenceAdjust* adjustment_of(FlowIndex index, const Flow& flow,
                                    const WorkerContext& context) noexcept {
    if (!flow.has(flow_status::kHelper)) [[likely]]
        return nullptr;
    return context.helpers->adjustment(context.flows.ties(index).helper_slot);
}

bool run_tracker(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    const FlowIndex index = burst.flow[i].index();
    Flow& flow = context.flows.flow(index);
    const Packet& packet = burst.packet[i];
    Direction direction = burst.flow[i].direction();
    if (flow.has(flow_status::kDying)) return false;
    if (is_past(flow.deadline.load(), context.now.tick)) {
        context.flows.erase(index);
        context.counters.expired.add(1);
        return false;
    }
    if (packet.is_icmp_error) {
        // The flow is that of the quoted packet; the error travels against it. Nothing about the
        // flow changes (RFC 5927: such errors are easy to forge).
        burst.flow[i] = FlowRef(index, opposite(direction));
        burst.ct_class[i] = CtClass::Related;
        return true;
    }
    burst.ct_class[i] = class_of(flow, direction);
    const uint16_t old_status = flow.status.load();
    const uint8_t old_state = flow.state.load();
    const Tracker& tracker = tracker_of(packet.protocol);
    const TrackOutcome outcome =
        tracker.update({packet, flow, direction, context.snapshot->conntrack, context.now.tick,
                        adjustment_of(index, flow, context)});
    switch (outcome.result) {
        case TrackResult::Reopen:
            context.flows.erase(index);
            context.counters.erased.add(1);
            return false;
        case TrackResult::Invalid:
            if (outcome.refresh)
                context.flows.set_deadline(index, context.now.tick + outcome.timeout);
            burst.ct_class[i] = CtClass::Invalid;
            burst.packet[i].invalid = outcome.reason;
            burst.flow[i] = FlowRef{};
            return true;
        case TrackResult::Accept:
            if (outcome.refresh) {
                context.flows.set_deadline(
                    index, context.now.tick +
                               adapted(timeout_of(flow, tracker, outcome.timeout), context));
                if (old_status != flow.status.load() || old_state != flow.state.load())
                    [[unlikely]] {
                    note_eviction_rank(context, index, tracker);
                    if (has_ended(flow, tracker)) context.flows.uncount(index);
                }
                count(context, index, direction, packet);
            }
            break;
        case TrackResult::Ignore:
            break;
        case TrackResult::AcceptAndErase:
            // The packet is counted, but the flow ends as it was (netfilter's nf_ct_kill_acct).
            count(context, index, direction, packet);
            context.flows.erase(index);
            context.counters.erased.add(1);
            return true;
    }
    if (!flow.has(flow_status::kSeenReply) && direction == Direction::Reply)
        flow.note_status(flow_status::kSeenReply);
    if (context.snapshot->ruleset.looks_at_status && old_status != flow.status.load())
        flow.forget_verdicts();
    return true;
}

}  // namespace

bool track_packet(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    if (!context.tells_flows) [[likely]]
        return run_tracker(burst, i, context);
    const FlowIndex index = burst.flow[i].index();
    const Flow& flow = context.flows.flow(index);
    const uint16_t status = flow.status.load();
    const uint8_t state = flow.state.load();
    const bool is_tracked = run_tracker(burst, i, context);
    chronicle_update(context, index, status, state);
    return is_tracked;
}

void track(Burst& burst, WorkerContext& context) noexcept {
    PathRun run(context);
    const BurstConstants with(context);
    PacketMask tracked = 0;
    PacketMask ahead = with.accounting != nullptr ? burst.tracked : burst.tracked & burst.tcp;
    for (uint32_t n = 0; n < kPrefetchAhead && ahead != 0; ++n)
        prefetch_next(burst, ahead, context, with);
    Departures departures(context);
    const auto forward = with.is_routed ? forward_settled<true> : forward_settled<false>;
    const PacketMask wanted = forward(burst, burst.tracked, ahead, context, with, run, departures);
    for_each(wanted, [&](uint32_t i) {
        prefetch_next(burst, ahead, context, with);
        if (!track_settled(burst, i, context, with)) {
            if (!track_packet(burst, i, context)) {
                burst.starting |= bit(i);
                return;
            }
            if (burst.flow[i].is_none()) {
                burst.flowless |= bit(i);
                return;
            }
        }
        if (!forward_as_before(burst, i, context, with, run, departures)) {
            keep_for_rules(burst, i, context);
            tracked |= bit(i);
        }
    });
    burst.tracked = tracked;
    for_each(burst.flowless, [&](uint32_t i) {
        if (burst.ct_class[i] == CtClass::Invalid) count_invalid(context, burst.packet[i]);
    });
}

}  // namespace rampart
