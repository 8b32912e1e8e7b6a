// establish: first packets, one by one and in order, as netfilter treats them: track, ask the
// rules, and only then insert the flow. A packet that a rule refuses leaves no trace.
#include "conntrack/tracker.h"
#include "dataplane/admission.h"
#include "dataplane/beginning.h"
#include "dataplane/stages.h"
#include "dataplane/verdict_cache.h"

namespace rampart {
namespace {

// Flows that are about to begin: all lines of a free slot are far away in a large table.
constexpr uint32_t kPrefetchAhead = 4;

void judge_invalid(Burst& burst, uint32_t i, WorkerContext& context,
                   InvalidReason reason) noexcept {
    burst.ct_class[i] = CtClass::Invalid;
    burst.packet[i].invalid = reason;
    count_invalid(context, burst.packet[i]);
    if (!finish_route(burst, i, context)) return;
    judge(burst, i, context, nullptr);
}

}  // namespace

bool insert_flow(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index, FlowInfo& info,
                 Tick deadline) noexcept {
    if (context.flows.confirm(index, burst.packet[i], burst.hash[i], info, deadline)) return true;
    burst.drop(i, DropReason::InsertFailed);
    return false;
}

void confirm_flow(Burst& burst, uint32_t i, WorkerContext& context,
                  const Beginning& beginning) noexcept {
    const Packet& packet = burst.packet[i];
    const FlowIndex index = beginning.index;
    const Company* company = beginning.company;
    Flow& flow = context.flows.flow(index);
    const bool is_essential = beginning.judged.is_essential;
    const Tick timeout = beginning.timeout;
    cache_verdict(flow, 0, packet, burst.ct_class[i], beginning.judged.path, context);
    if (context.snapshot->conntrack.accounting && context.flows.accounting() != nullptr)
        count_traffic(flow, context.flows.accounting()[index], Direction::Original,
                      packet.ip_length);
    FlowInfo info;
    info.original = beginning.original;
    info.created_ns = context.now.wall_ns;
    const uint8_t helper =
        company == nullptr ? 0 : tie_to_helpers(burst, i, context, flow, *company);
    const Admission admission = admit(context, info, is_essential);
    if (admission != Admission::Admitted) {
        context.flows.release(index);
        return burst.drop(
            i, admission == Admission::TableFull ? DropReason::TableFull : DropReason::SourceLimit);
    }
    const Tick deadline =
        context.now.tick + adapted(timeout_of(flow, tracker_of(packet.protocol), timeout), context);
    const bool is_in = company == nullptr
                           ? insert_flow(burst, i, context, index, info, deadline)
                           : insert_in_company(burst, i, context, index, *company, info, deadline);
    if (!is_in) {
        if (info.source != 0) context.sources->remove(info.source);
        return;
    }
    context.counters.inserted.add(1);
    if (helper != 0) attach_helper(burst, i, context, index, helper);
    if (is_essential) context.flows.set_essential(index);
    chronicle_new(context, index);
}

namespace {

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

void start_flow(Burst& burst, uint32_t i, WorkerContext& context, bool is_alone) noexcept {
    Packet& packet = burst.packet[i];
    if (!is_alone && is_expected_elsewhere(burst, i, context)) return;
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
    burst.ct_class[i] = CtClass::New;
    if (!is_alone) return start_in_company(burst, i, context, index, outcome.timeout);
    burst.status[i] = flow.status.load();
    Beginning beginning{tuple_for_rules(burst, i), index, outcome.timeout};
    if (is_accepted(burst, i, context, beginning.original, beginning.judged))
        confirm_flow(burst, i, context, beginning);
    else
        context.flows.release(index);
}

// For what will begin soon this is a guess, as good as any.
bool is_tcp(const Burst& burst, uint32_t i) noexcept {
    return burst.packet[i].protocol == ip_protocol::kTcp;
}

// The flows that this burst has started, by a few bits of their hashes: most packets need not look
// for one.
class StartedHashes {
  public:
    bool may_have(uint32_t hash) const noexcept { return word(hash) & bit(hash % 64); }
    void add(uint32_t hash) noexcept { seen_[hash / 64 % kWords] |= bit(hash % 64); }

  private:
    static constexpr uint32_t kWords = 8;
    uint64_t word(uint32_t hash) const noexcept { return seen_[hash / 64 % kWords]; }
    uint64_t seen_[kWords]{};
};

}  // namespace

void establish(Burst& burst, WorkerContext& context) noexcept {
    if (burst.starting == 0) return;
    const bool counts = context.snapshot->conntrack.accounting;
    const auto first = static_cast<uint32_t>(__builtin_ctzll(burst.starting));
    for (uint32_t ahead = 0; ahead < kPrefetchAhead; ++ahead)
        context.flows.prefetch_free(ahead, is_tcp(burst, first), counts);
    for_each(burst.starting, [&](uint32_t i) {
        burst.ct_class[i] = CtClass::New;
        burst.flow[i] = FlowRef{};  // of whose that is over the direction does not count any more
        context.flows.keys().prefetch_room(burst.hash[i]);
    });
    propose_rules(burst, burst.starting, context);
    StartedHashes started;
    const PacketMask company = in_company(burst, context);  // enters keys of others, too
    for_each(burst.starting, [&](uint32_t i) {
        context.flows.prefetch_free(kPrefetchAhead, is_tcp(burst, i), counts);
        const uint32_t hash = burst.hash[i];
        if (company == 0 && !started.may_have(hash) && !burst.packet[i].is_icmp_error) {
            started.add(hash);
            burst.flow[i] = FlowRef{};
            return start_flow(burst, i, context, true);
        }
        // An earlier packet of this burst may have started the same flow.
        const TableEntry entry = context.flows.keys().find(burst.packet[i], hash);
        if (entry.is_foreign()) return burst.hand_over(i, entry.worker());
        burst.flow[i] = entry.is_none() ? FlowRef{} : entry.toward(burst.packet[i].swapped);
        if (burst.flow[i].is_none() || !track_packet(burst, i, context)) {
            burst.flow[i] = FlowRef{};
            if (burst.packet[i].is_icmp_error)  // quotes an unknown flow, and cannot start one
                judge_invalid(burst, i, context, InvalidReason::IcmpUnrelated);
            else
                start_flow(burst, i, context, !(company & bit(i)));
        } else if (burst.flow[i].is_none()) {
            judge_invalid(burst, i, context, burst.packet[i].invalid);
        } else if (finish_route(burst, i, context)) {
            burst.status[i] = context.flows.flow(burst.flow[i].index()).status.load();
            classify_tracked(burst, i, context);
        }
    });
}

}  // namespace rampart
