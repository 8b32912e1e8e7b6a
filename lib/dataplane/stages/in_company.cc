// in_company: flows that helpers, other workers or translation have a part in, from their first
// packet into the table.
#include <algorithm>

#include "dataplane/beginning.h"
#include "dataplane/departure.h"
#include "dataplane/helper_flows.h"
#include "dataplane/nat.h"
#include "dataplane/notices.h"
#include "dataplane/stages.h"

namespace rampart {

// Large, and most flows have none.
struct Company {
    explicit Company(const Tuple& original) noexcept : binding(original) {}
    Binding binding;
    SourceChoice source;
    bool is_expected = false;
    Expectation expectation;  // with is_expected
};

namespace {

bool translates_packet(const Burst& burst, uint32_t i, const WorkerContext& context) noexcept {
    return translates(context) && context.is_routed(burst.packet[i].in_port);
}

// The child goes where its master goes: the chains of nat are not asked.
bool is_led(const Company& company) noexcept {
    return company.is_expected && company.expectation.has(expectation_flag::kTranslated);
}

// Some helper, of whatever worker, has announced a flow.
bool expects_flows(const WorkerContext& context) noexcept {
    if (context.helpers == nullptr) return false;
    if (context.notices == nullptr) return context.helpers->expectations().count() != 0;
    return std::any_of(
        context.all_helpers.begin(), context.all_helpers.end(),
        [](const HelperFlows* helpers) { return helpers->expectations().count() != 0; });
}

// A flow that a helper has announced: RELATED, and with its master's mark.
void meet_expectation(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index,
                      Company& company) noexcept {
    if (context.helpers == nullptr || context.helpers->expectations().count() == 0) return;
    Expectation& found = company.expectation;
    if (!context.helpers->expectations().take(company.binding.original, context.now.tick, found))
        return;
    company.is_expected = true;
    Flow& flow = context.flows.flow(index);
    flow.set_status(flow_status::kExpected);
    flow.mark.store(context.flows.flow(found.master).mark.load());
    context.flows.ties(index).master_helper = found.helper;
    burst.ct_class[i] = CtClass::Related;
}

// The helper that a rule of raw or the master wants it to have; 0: none.
uint8_t wanted_helper(const Burst& burst, uint32_t i, const WorkerContext& context,
                      const Company& company) noexcept {
    if (context.helpers == nullptr) return 0;
    uint8_t wanted = company.is_expected ? company.expectation.child_helper : 0;
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

// What was handed over did not become a flow. When there is no room to say so, the promise ends by
// itself.
void tell_refusal(const Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    if (context.notices == nullptr || !(burst.visiting & bit(i))) return;
    context.notices->tell(context.worker, burst.handed_by,
                          {.tuple = tuple_of(burst.packet[i]), .kind = Notice::Kind::Remove});
}

bool insert_translated(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index,
                       const Company& company, FlowInfo& info, Tick deadline) noexcept {
    const FlowReply reply{.reply = company.binding.reply(),
                          .pool = company.source.pool,
                          .masquerade = company.source.masquerade};
    if (!context.flows.confirm_translated(index, info, reply, deadline)) {
        context.nat->note_failure(reply);
        burst.drop(i, DropReason::NatExhausted);
        return false;
    }
    set_rewrites(context.flows.forwarding(index), company.binding.original, reply.reply);
    context.nat->note_begin(reply);
    return true;
}

// The destination's translation, and with it the way.
bool enter_routed(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index,
                  Company& company) noexcept {
    if (!translates_packet(burst, i, context)) return true;
    Binding& binding = company.binding;
    Flow& flow = context.flows.flow(index);
    if (is_led(company))
        bind_child(context, flow, binding, company.expectation, Manip::Destination);
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
bool leave_routed(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index,
                  Company& company) noexcept {
    if (!translates_packet(burst, i, context)) return true;
    Flow& flow = context.flows.flow(index);
    if (!is_led(company))
        return bind_source(burst, i, context, flow, company.binding, company.source);
    bind_child(context, flow, company.binding, company.expectation, Manip::Source);
    return true;
}

}  // namespace

PacketMask in_company(const Burst& burst, const WorkerContext& context) noexcept {
    const bool may_ask_for_helpers =
        context.helpers != nullptr && context.snapshot->ruleset.raw != Ruleset::kNoChain;
    const bool are_all = translates(context) || expects_flows(context) || may_ask_for_helpers;
    return are_all ? burst.starting : burst.starting & burst.visiting;
}

bool is_expected_elsewhere(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    // Who is visiting has found the worker it was sent to.
    if (context.notices == nullptr || burst.visiting & bit(i)) return false;
    const uint16_t owner = worker_that_expects(burst.packet[i], context);
    if (owner == context.worker) return false;
    hand_over_flow(burst, i, context, owner);
    return true;
}

void attach_helper(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index,
                   uint8_t helper) noexcept {
    const uint32_t slot = context.helpers->attach(helper);
    if (slot == 0) return;
    context.flows.ties(index).helper_slot = slot;
    context.flows.flow(index).set_status(flow_status::kHelper);
    burst.departing |= bit(i);
}

uint8_t tie_to_helpers(Burst& burst, uint32_t i, WorkerContext& context, Flow& flow,
                       const Company& company) noexcept {
    if (company.is_expected) {
        flow.master.flow.store(company.expectation.master + 1);
        flow.master.serial.store(company.expectation.master_serial);
    }
    const uint8_t helper = wanted_helper(burst, i, context, company);
    flow.ties.helper.store(helper);
    return helper;
}

bool insert_in_company(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index,
                       const Company& company, FlowInfo& info, Tick deadline) noexcept {
    const Arrivals arrivals = arrivals_of(burst, i, context, company.binding);
    if (!can_tell(context, arrivals)) {
        context.flows.release(index);
        burst.drop(i, DropReason::HandOffFull);
        return false;
    }
    const bool is_in = context.flows.flow(index).is_translated()
                           ? insert_translated(burst, i, context, index, company, info, deadline)
                           : insert_flow(burst, i, context, index, info, deadline);
    if (!is_in) return false;
    if (translates(context)) context.nat->sources.add(index, company.binding.original);
    tell_arrivals(context, index, arrivals);
    return true;
}

void start_in_company(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index,
                      Tick timeout) noexcept {
    Company company(tuple_for_rules(burst, i));
    Beginning beginning{company.binding.original, index, timeout, &company};
    Flow& flow = context.flows.flow(index);
    meet_expectation(burst, i, context, index, company);
    burst.status[i] = flow.status.load();
    if (context.notices != nullptr && translates_packet(burst, i, context)) {
        const uint16_t owner = owner_by_translation(burst, i, context, flow);
        if (owner != context.worker) {
            context.flows.release(index);
            return hand_over_flow(burst, i, context, owner);
        }
    }
    if (enter_routed(burst, i, context, index, company) &&
        is_accepted(burst, i, context, company.binding.translated, beginning.judged) &&
        leave_routed(burst, i, context, index, company))
        return confirm_flow(burst, i, context, beginning);
    tell_refusal(burst, i, context);
    context.flows.release(index);
}

}  // namespace rampart
