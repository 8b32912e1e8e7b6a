// establish: first packets, one by one and in order, as netfilter treats them: track, ask the
// rules, and only then insert the flow. A packet that a rule refuses leaves no trace.
#include "conntrack/tracker.h"
#include "dataplane/admission.h"
#include "dataplane/departure.h"
#include "dataplane/helper_flows.h"
#include "dataplane/nat.h"
#include "dataplane/notices.h"
#include "dataplane/stages.h"
#include "dataplane/verdict_cache.h"
#include "packet/parser.h"

namespace rampart {
namespace {

// Flows that are about to begin: all lines of a free slot are far away in a large table.
constexpr uint32_t kPrefetchAhead = 4;

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
    bool is_expected = false;
    Expectation expectation = {};  // with is_expected
};

// The child goes where its master goes: the chains of nat are not asked.
bool is_led(const Beginning& beginning) noexcept {
    return beginning.is_expected && beginning.expectation.has(expectation_flag::kTranslated);
}

// A flow that a helper has announced: RELATED, and with its master's mark.
void meet_expectation(Burst& burst, uint32_t i, WorkerContext& context,
                      Beginning& beginning) noexcept {
    if (context.helpers == nullptr || context.helpers->expectations().count() == 0) return;
    Expectation& found = beginning.expectation;
    if (!context.helpers->expectations().take(beginning.binding.original, context.now.tick, found))
        return;
    beginning.is_expected = true;
    Flow& flow = context.flows.flow(beginning.index);
    flow.set_status(flow_status::kExpected);
    flow.mark.store(context.flows.flow(found.master).mark.load());
    context.flows.ties(beginning.index).master_helper = found.helper;
    burst.ct_class[i] = CtClass::Related;
}

// The helper that a rule of raw or the master wants it to have; 0: none.
uint8_t wanted_helper(const Burst& burst, uint32_t i, const WorkerContext& context,
                      const Beginning& beginning) noexcept {
    if (context.helpers == nullptr) return 0;
    uint8_t wanted = beginning.is_expected ? beginning.expectation.child_helper : 0;
    if (wanted == 0 && context.snapshot->ruleset.raw != Ruleset::kNoChain)
        wanted = burst.wanted_helper[i];
    const Helper* helper = wanted == 0 ? nullptr : helper_of(wanted);
    const Packet& packet = burst.packet[i];
    if (helper == nullptr || (packet.family == Family::Ipv6 && !helper->takes_ipv6) ||
        !((packet.protocol == ip_protocol::kTcp && helper->takes_tcp) ||
          (packet.protocol == ip_protocol::kUdp && helper->takes_udp)))
        return 0;
    return wanted;
}

// Without a free slot the flow goes without.
void attach_helper(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index,
                   uint8_t helper) noexcept {
    const uint32_t slot = helper == 0 ? 0 : context.helpers->attach(helper);
    if (slot == 0) return;
    context.flows.ties(index).helper_slot = slot;
    context.flows.flow(index).set_status(flow_status::kHelper);
    burst.departing |= bit(i);
}

// The workers that the packets of a flow come to by themselves, by direction.
struct Arrivals {
    uint16_t at[2];
};

Arrivals arrivals_of(const Burst& burst, uint32_t i, const WorkerContext& context,
                     const Binding& binding) noexcept {
    Arrivals arrivals{{context.worker, context.worker}};
    if (context.notices == nullptr) return arrivals;
    const bool is_visiting = burst.visiting & bit(i);
    if (is_visiting) arrivals.at[0] = burst.handed_by;
    if (is_visiting || binding.translated != binding.original)
        arrivals.at[1] = home_of(binding.reply(), context);
    return arrivals;
}

bool can_tell(const WorkerContext& context, const Arrivals& arrivals) noexcept {
    for (const uint16_t other : arrivals.at)
        if (other != context.worker && !context.notices->has_room(context.worker, other))
            return false;
    return true;
}

// Whoever gets packets of this flow, other than this worker, is told to hand them over. Before the
// first packet leaves.
void tell_arrivals(WorkerContext& context, FlowIndex index, const Arrivals& arrivals) noexcept {
    for (const Direction direction : {Direction::Original, Direction::Reply}) {
        const auto side = static_cast<unsigned>(direction);
        const uint16_t other = arrivals.at[side];
        if (other == context.worker) continue;
        const Tuple tuple = context.flows.tuple_of(index, direction);
        context.notices->tell(context.worker, other, {.tuple = tuple, .kind = Notice::Kind::Add});
        context.flows.ties(index).arrives_at[side] = static_cast<uint8_t>(other + 1);
    }
}

// The worker whose helper has announced this packet's flow; this one when nobody has.
uint16_t worker_that_expects(const Packet& packet, const WorkerContext& context) noexcept {
    Expectation found;
    for (uint16_t other = 0; other < context.all_helpers.size(); ++other) {
        const HelperFlows* helpers = context.all_helpers[other];
        if (other == context.worker || helpers->expectations().count() == 0) continue;
        if (helpers->expectations().find(tuple_of(packet), context.now.tick, found) !=
            ExpectationTable::kNone)
            return other;
    }
    return context.worker;
}

// True: the packet goes to the worker that expects it, and so will those that follow.
bool is_expected_elsewhere(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    // Who is visiting has found the worker it was sent to.
    if (context.notices == nullptr || burst.visiting & bit(i)) return false;
    const uint16_t owner = worker_that_expects(burst.packet[i], context);
    if (owner == context.worker) return false;
    hand_over_flow(burst, i, context, owner);
    return true;
}

// What was handed over did not become a flow. When there is no room to say so, the promise ends by
// itself.
void tell_refusal(const Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    if (context.notices == nullptr || !(burst.visiting & bit(i))) return;
    context.notices->tell(context.worker, burst.handed_by,
                          {.tuple = tuple_of(burst.packet[i]), .kind = Notice::Kind::Remove});
}

// Into the table, under the tuples that its packets will have. False: the packet is dropped.
bool insert(Burst& burst, uint32_t i, WorkerContext& context, const Beginning& beginning,
            const FlowInfo& info, Tick deadline) noexcept {
    FlowTable& flows = context.flows;
    const FlowIndex index = beginning.index;
    const Binding& binding = beginning.binding;
    const Arrivals arrivals = arrivals_of(burst, i, context, binding);
    if (!can_tell(context, arrivals)) {
        flows.release(index);
        burst.drop(i, DropReason::HandOffFull);
        return false;
    }
    if (!flows.flow(index).is_translated()) {
        if (!flows.confirm(index, burst.packet[i], burst.hash[i], info, deadline)) {
            burst.drop(i, DropReason::InsertFailed);
            return false;
        }
    } else {
        const FlowReply reply{.reply = binding.reply(),
                              .pool = beginning.source.pool,
                              .masquerade = beginning.source.masquerade};
        if (!flows.confirm_translated(index, info, reply, deadline)) {
            context.nat->note_failure(reply);
            burst.drop(i, DropReason::NatExhausted);
            return false;
        }
        set_rewrites(flows.forwarding(index), binding.original, reply.reply);
        context.nat->note_begin(reply);
    }
    if (translates(context)) context.nat->sources.add(index, binding.original);
    tell_arrivals(context, index, arrivals);
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
    if (context.snapshot->conntrack.accounting && context.flows.accounting() != nullptr)
        count_traffic(context.flows.accounting()[index], Direction::Original, packet.ip_length);
    FlowInfo info;
    info.original = beginning.binding.original;
    info.created_ns = context.now.wall_ns;
    if (beginning.is_expected) {
        flow.ties.master.store(beginning.expectation.master + 1);
        flow.ties.master_serial.store(beginning.expectation.master_serial);
    }
    const uint8_t helper = wanted_helper(burst, i, context, beginning);
    flow.ties.helper.store(helper);
    const Admission admission = admit(context, info, is_essential);
    if (admission != Admission::Admitted) {
        context.flows.release(index);
        return burst.drop(
            i, admission == Admission::TableFull ? DropReason::TableFull : DropReason::SourceLimit);
    }
    const Tick deadline =
        context.now.tick + adapted(timeout_of(flow, tracker_of(packet.protocol), timeout), context);
    if (!insert(burst, i, context, beginning, info, deadline)) {
        if (info.life.source != 0) context.sources->remove(info.life.source);
        return;
    }
    context.counters.inserted.add(1);
    attach_helper(burst, i, context, index, helper);
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
bool enter_routed(Burst& burst, uint32_t i, WorkerContext& context, Beginning& beginning) noexcept {
    if (!translates_packet(burst, i, context)) return true;
    Binding& binding = beginning.binding;
    Flow& flow = context.flows.flow(beginning.index);
    if (is_led(beginning))
        bind_child(context, flow, binding, beginning.expectation, Manip::Destination);
    else if (!bind_destination(burst, i, context, flow, binding))
        return false;
    burst.status[i] = flow.status.load();
    if (binding.changes_destination()) {
        burst.tuple[i] = binding.translated;
        burst.translated |= bit(i);
        burst.tupled |= bit(i);
        burst.proposed &= ~bit(i);
    }
    return finish_route(burst, i, context);
}

// The source's translation, once the filter has accepted the packet.
bool leave_routed(Burst& burst, uint32_t i, WorkerContext& context, Beginning& beginning) noexcept {
    if (!translates_packet(burst, i, context)) return true;
    Flow& flow = context.flows.flow(beginning.index);
    if (!is_led(beginning))
        return bind_source(burst, i, context, flow, beginning.binding, beginning.source);
    bind_child(context, flow, beginning.binding, beginning.expectation, Manip::Source);
    return true;
}

void start_flow(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    Packet& packet = burst.packet[i];
    if (is_expected_elsewhere(burst, i, context)) return;
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
    Beginning beginning{.index = index,
                        .binding = Binding(tuple_for_rules(burst, i)),
                        .source = {},
                        .timeout = outcome.timeout};
    meet_expectation(burst, i, context, beginning);
    burst.status[i] = flow.status.load();
    if (context.notices != nullptr && translates_packet(burst, i, context)) {
        const uint16_t owner = owner_by_translation(burst, i, context, flow);
        if (owner != context.worker) {
            context.flows.release(index);
            return hand_over_flow(burst, i, context, owner);
        }
    }
    const auto give_up = [&] {
        tell_refusal(burst, i, context);
        context.flows.release(index);
    };
    if (!enter_routed(burst, i, context, beginning)) return give_up();
    const Judged judged = judge(burst, i, context, nullptr, beginning.binding.translated);
    beginning.path = judged.path;
    beginning.is_essential = judged.is_essential;
    const bool is_accepted =
        burst.verdict[i] == Verdict::Forward || burst.verdict[i] == Verdict::Deliver;
    if (is_accepted && leave_routed(burst, i, context, beginning))
        confirm(burst, i, context, beginning);
    else
        give_up();
}

}  // namespace

void establish(Burst& burst, WorkerContext& context) noexcept {
    if (burst.starting == 0) return;
    for (uint32_t ahead = 0; ahead < kPrefetchAhead; ++ahead)
        context.flows.prefetch_free(ahead);
    for_each(burst.starting, [&](uint32_t i) {
        burst.ct_class[i] = CtClass::New;
        context.flows.keys().prefetch_room(burst.hash[i]);
    });
    propose_rules(burst, burst.starting, context);
    for_each(burst.starting, [&](uint32_t i) {
        context.flows.prefetch_free(kPrefetchAhead);
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
