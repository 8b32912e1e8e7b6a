// nat: the chains of nat, asked once for each flow, and the translation that comes of them.
//
// A flow that no rule translates gets a null binding, as in netfilter: it keeps its addresses, but
// its source port changes when another flow has the tuple that its replies would have.
#include "dataplane/nat.h"

#include "dataplane/stages.h"
#include "nat/translation.h"
#include "rules/walk.h"

namespace rampart {
namespace {

bool comes_home(const void* what, const Tuple& reply) noexcept {
    const WorkerContext& context = *static_cast<const WorkerContext*>(what);
    // A NIC does not look at identifiers: replies are handed over, and no two workers choose the
    // same one.
    if (is_icmp(reply.protocol) && context.steering.mode() == SteeringMode::Hardware)
        return reply.src_port.host() % context.steering.workers() == context.worker;
    return context.steering.owner_of(reply, context.flows.keys().hash_of(reply)) == context.worker;
}

TupleSpace space_of(WorkerContext& context, const Flow& flow) noexcept {
    const bool is_alone = context.steering.mode() == SteeringMode::Single;
    return {.flows = context.flows,
            .sources = context.nat->sources,
            .random = context.nat->random,
            .now = context.now.tick,
            .starting = flow,
            .is_home = is_alone ? nullptr : comes_home,
            .what = &context,
            .reserved = context.nat->reserved};
}

void count_erased(WorkerContext& context, const TupleSpace& space) noexcept {
    context.counters.expired.add(space.expired);
    context.counters.erased.add(space.killed);
}

// What a chain of nat says about the packet; null: nothing.
const NatAction* ask_chain(Burst& burst, uint32_t i, WorkerContext& context, int chain,
                           const Tuple& tuple) noexcept {
    if (chain == Ruleset::kNoChain) return nullptr;
    const Packet& packet = burst.packet[i];
    RuleInput input = rule_input(burst, i, tuple, context);
    if (chain == context.snapshot->ruleset.prerouting) input.out = kNoInterface;
    const Judgement judgement =
        walk(context.snapshot->ruleset, chain, input, *context.paths, packet.ip_length);
    if (judgement.path != kNoPath) context.paths->count(judgement.path, 1, packet.ip_length);
    return judgement.step == Step::Translate ? judgement.nat : nullptr;
}

bool needs_address(const NatAction& action) noexcept {
    return action.kind == NatKind::Masquerade || action.kind == NatKind::Redirect;
}

bool has_family(const NatAction& action, Family family) noexcept {
    return action.family == Family::None || action.family == family;
}

void bind_by(TupleSpace& space, Binding& binding, Manip manip, const NatAction& action,
             const AddressBytes& address) noexcept {
    NatRange range = range_of(action, manip, binding.translated, address);
    if (action.kind == NatKind::Netmap && action.is_checksum_neutral &&
        binding.original.family == Family::Ipv6) {
        unsigned length = 0;
        while (length < 128 &&
               ((action.first[length / 8] ^ action.last[length / 8]) >> (7 - length % 8) & 1) == 0)
            ++length;
        const AddressBytes& from =
            manip == Manip::Source ? binding.translated.src : binding.translated.dst;
        range.first = range.last = checksum_neutral(from, range.first, length);
    }
    bind(space, binding, manip, range);
}

}  // namespace

bool bind_destination(Burst& burst, uint32_t i, WorkerContext& context, Flow& flow,
                      Binding& binding) noexcept {
    const Packet& packet = burst.packet[i];
    if (packet.in_port == kNoInterface) return true;  // netfilter's output hook, which we lack
    const NatAction* action =
        ask_chain(burst, i, context, context.snapshot->ruleset.prerouting, binding.translated);
    if (action == nullptr || action->kind == NatKind::None || !has_family(*action, packet.family))
        return true;
    AddressBytes address{};
    if (needs_address(*action) && !context.routing->source_address(packet.in_port, packet.family,
                                                                   binding.original.src, address)) {
        burst.drop(i, DropReason::NatAddress);
        return false;
    }
    TupleSpace space = space_of(context, flow);
    bind_by(space, binding, Manip::Destination, *action, address);
    count_erased(context, space);
    if (action->is_hairpin) burst.hairpin |= bit(i);
    if (binding.changes_destination()) flow.set_status(flow_status::kDstNat);
    return true;
}

void bind_child(WorkerContext& context, Flow& flow, Binding& binding,
                const Expectation& expectation, Manip manip) noexcept {
    const ChildTranslation& child = expectation.translation;
    const bool is_source = manip == Manip::Source;
    const be16 port = is_source ? child.source_port : child.destination_port;
    NatRange range{.has_addresses = true,
                   .has_ports = port != be16{},
                   .has_call_id = port != be16{},
                   .first = is_source ? child.source : child.destination,
                   .first_port = port.host(),
                   .last_port = port.host()};
    range.last = range.first;
    TupleSpace space = space_of(context, flow);
    bind(space, binding, manip, range);
    count_erased(context, space);
    const bool is_changed = is_source ? binding.changes_source() : binding.changes_destination();
    if (is_changed) flow.set_status(is_source ? flow_status::kSrcNat : flow_status::kDstNat);
}

namespace {

// A translation that does not come home is chosen anew by the worker where it does: only there is
// it certain that no other flow has it. True: the packet goes there, and those that follow.
bool goes_elsewhere(Burst& burst, uint32_t i, WorkerContext& context, const TupleSpace& space,
                    const Binding& binding) noexcept {
    if (context.notices == nullptr || binding.translated == binding.original ||
        space.comes_home(binding.translated))
        return false;
    if (!is_home(binding.original, context)) {  // it was sent here for that, in vain
        burst.drop(i, DropReason::NatExhausted);
        return true;
    }
    const Tuple reply = binding.reply();
    const uint16_t home = context.steering.owner_of(reply, context.flows.keys().hash_of(reply));
    if (home == context.worker || !context.flows.add_foreign(binding.original, home)) return false;
    burst.hand_over(i, home);
    return true;
}

}  // namespace

bool bind_source(Burst& burst, uint32_t i, WorkerContext& context, Flow& flow, Binding& binding,
                 SourceChoice& choice) noexcept {
    static constexpr NatAction kHairpin{.kind = NatKind::Masquerade};
    const Packet& packet = burst.packet[i];
    const Tuple before = binding.translated;
    const NatAction* action = nullptr;
    if (packet.out_port != kToBox) {
        action = ask_chain(burst, i, context, context.snapshot->ruleset.postrouting, before);
        if (action == nullptr && burst.hairpin & bit(i) && packet.in_port == packet.out_port)
            action = &kHairpin;
    }
    if (action != nullptr && !has_family(*action, packet.family)) action = nullptr;
    TupleSpace space = space_of(context, flow);
    AddressBytes address{};
    const bool is_null = action == nullptr || action->kind == NatKind::None;
    if (!is_null && needs_address(*action)) {
        const bool is_forwarded = packet.in_port != kNoInterface;
        if (!context.routing->source_address(packet.out_port, packet.family,
                                             is_forwarded ? burst.next_hop[i].address : before.dst,
                                             address)) {
            burst.drop(i, DropReason::NatAddress);
            return false;
        }
        if (before.src == AddressBytes{}) return true;  // it has no address yet: DHCP
    }
    if (is_null) {
        NatRange range{.has_addresses = true, .first = before.src, .last = before.src};
        bind(space, binding, Manip::Source, range);
    } else {
        bind_by(space, binding, Manip::Source, *action, address);
        if (action->kind == NatKind::Snat) choice.pool = context.snapshot->pool_of(*action);
        if (action->kind == NatKind::Masquerade)
            choice.masquerade = static_cast<uint8_t>(packet.out_port + 1);
    }
    count_erased(context, space);
    if (goes_elsewhere(burst, i, context, space, binding)) return false;
    if (binding.changes_source()) flow.set_status(flow_status::kSrcNat);
    return true;
}

}  // namespace rampart
