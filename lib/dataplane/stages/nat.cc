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
    return home_of(reply, context) == context.worker;
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

// One packet whose flow begins.
struct Beginner {
    Burst& burst;
    uint32_t i;
    WorkerContext& context;
    bool is_rehearsal = false;  // nothing is counted, charged or logged

    const Packet& packet() const noexcept { return burst.packet[i]; }
};

// What a chain of nat says about the packet; null: nothing.
const NatAction* ask_chain(const Beginner& who, int chain, const Tuple& tuple,
                           InterfaceIndex out) noexcept {
    if (chain == Ruleset::kNoChain) return nullptr;
    const Packet& packet = who.packet();
    WorkerContext& context = who.context;
    RuleInput input = rule_input(who.burst, who.i, tuple, context);
    input.out = out;
    input.is_rehearsal = who.is_rehearsal;
    if (who.is_rehearsal) input.log = nullptr;
    const Judgement judgement =
        walk(context.snapshot->ruleset, chain, input, *context.paths, packet.ip_length);
    if (judgement.path != kNoPath && !who.is_rehearsal)
        context.paths->count(judgement.path, 1, packet.ip_length);
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

// What the rules choose for one half.
struct Choice {
    const NatAction* action = nullptr;  // null: the half stays as it is
    AddressBytes address{};             // of an interface, when the action needs one
    bool lacks_address = false;
};

Choice choose_destination(const Beginner& who, const Binding& binding) noexcept {
    const Packet& packet = who.packet();
    Choice choice;
    if (packet.in_port == kNoInterface) return choice;  // netfilter's output hook, which we lack
    const NatAction* action =
        ask_chain(who, who.context.snapshot->ruleset.prerouting, binding.translated, kNoInterface);
    if (action == nullptr || action->kind == NatKind::None || !has_family(*action, packet.family))
        return choice;
    choice.action = action;
    choice.lacks_address = needs_address(*action) &&
                           !who.context.routing->source_address(
                               packet.in_port, packet.family, binding.original.src, choice.address);
    return choice;
}

constexpr NatAction kHairpin{.kind = NatKind::Masquerade};

// `next_hop` is where the packet goes, `is_hairpin` whether it is masqueraded if that is back.
Choice choose_source(const Beginner& who, const Binding& binding, const NeighbourKey& next_hop,
                     bool is_hairpin) noexcept {
    const Packet& packet = who.packet();
    const Tuple& before = binding.translated;
    Choice choice;
    if (next_hop.interface == kToBox) return choice;
    const NatAction* action =
        ask_chain(who, who.context.snapshot->ruleset.postrouting, before, next_hop.interface);
    if (action == nullptr && is_hairpin && packet.in_port == next_hop.interface) action = &kHairpin;
    if (action == nullptr || action->kind == NatKind::None || !has_family(*action, packet.family))
        return choice;
    choice.action = action;
    if (!needs_address(*action)) return choice;
    const bool is_forwarded = packet.in_port != kNoInterface;
    choice.lacks_address = !who.context.routing->source_address(
        next_hop.interface, packet.family, is_forwarded ? next_hop.address : before.dst,
        choice.address);
    return choice;
}

void bind_source_by(TupleSpace& space, Binding& binding, const Choice& choice) noexcept {
    const AddressBytes& source = binding.translated.src;
    if (choice.action != nullptr)
        bind_by(space, binding, Manip::Source, *choice.action, choice.address);
    else
        bind(space, binding, Manip::Source,
             {.has_addresses = true, .first = source, .last = source});
}

// It has no address yet: DHCP.
bool is_without_address(const Choice& choice, const Binding& binding) noexcept {
    return choice.action != nullptr && needs_address(*choice.action) &&
           binding.translated.src == AddressBytes{};
}

}  // namespace

bool bind_destination(Burst& burst, uint32_t i, WorkerContext& context, Flow& flow,
                      Binding& binding) noexcept {
    const Choice choice = choose_destination({burst, i, context}, binding);
    if (choice.action == nullptr) return true;
    if (choice.lacks_address) {
        burst.drop(i, DropReason::NatAddress);
        return false;
    }
    TupleSpace space = space_of(context, flow);
    bind_by(space, binding, Manip::Destination, *choice.action, choice.address);
    count_erased(context, space);
    if (choice.action->is_hairpin) burst.hairpin |= bit(i);
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
    // It stays here whoever gets the replies, and FTP's data shall come from port 20.
    space.is_home = nullptr;
    bind(space, binding, manip, range);
    count_erased(context, space);
    const bool is_changed = is_source ? binding.changes_source() : binding.changes_destination();
    if (is_changed) flow.set_status(is_source ? flow_status::kSrcNat : flow_status::kDstNat);
}

namespace {

// Ports are searched for until one brings replies home. Only here there may be none that does.
bool may_belong_elsewhere(const Packet& packet, const WorkerContext& context) noexcept {
    const uint8_t protocol = packet.protocol;
    const bool is_spread_by_ports =
        protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp || is_icmp(protocol);
    return context.snapshot->ruleset.has_narrow_pool || !is_spread_by_ports;
}

// The worker that the replies come to, when the translation is not chosen in vain there.
uint16_t home_of_binding(const WorkerContext& context, const TupleSpace& space,
                         const Binding& binding) noexcept {
    if (binding.translated == binding.original || space.comes_home(binding.translated))
        return context.worker;
    return home_of(binding.reply(), context);
}

// A translation that does not come home is chosen anew by the worker where it does: only there is
// it certain that no other flow has it. True: the packet goes there, and those that follow.
bool goes_elsewhere(Burst& burst, uint32_t i, WorkerContext& context, const TupleSpace& space,
                    const Binding& binding) noexcept {
    // What a helper has announced belongs where it was announced.
    if (context.notices == nullptr || space.starting.has(flow_status::kExpected)) return false;
    const uint16_t home = home_of_binding(context, space, binding);
    if (home == context.worker) return false;
    if (burst.visiting & bit(i))  // it was sent here for that, in vain
        burst.drop(i, DropReason::NatExhausted);
    else
        hand_over_flow(burst, i, context, home);
    return true;
}

}  // namespace

uint16_t owner_by_translation(Burst& burst, uint32_t i, WorkerContext& context,
                              const Flow& flow) noexcept {
    const Packet& packet = burst.packet[i];
    if (burst.visiting & bit(i) || flow.has(flow_status::kExpected) ||
        !may_belong_elsewhere(packet, context))
        return context.worker;
    Binding binding(tuple_of(packet));
    TupleSpace space = space_of(context, flow);
    const Beginner who{burst, i, context, true};
    const Choice destination = choose_destination(who, binding);
    if (destination.lacks_address) return context.worker;
    if (destination.action != nullptr)
        bind_by(space, binding, Manip::Destination, *destination.action, destination.address);
    const InterfaceIndex out = guess_way(burst, i, context, binding.translated);
    if (out == kNoInterface) return context.worker;
    NeighbourKey next_hop = burst.next_hop[i];
    next_hop.interface = out;
    const bool is_hairpin = destination.action != nullptr && destination.action->is_hairpin;
    const Choice source = choose_source(who, binding, next_hop, is_hairpin);
    if (source.lacks_address || is_without_address(source, binding)) return context.worker;
    bind_source_by(space, binding, source);
    count_erased(context, space);
    return home_of_binding(context, space, binding);
}

bool bind_source(Burst& burst, uint32_t i, WorkerContext& context, Flow& flow, Binding& binding,
                 SourceChoice& choice) noexcept {
    NeighbourKey next_hop = burst.next_hop[i];
    next_hop.interface = burst.packet[i].out_port;
    const Choice source =
        choose_source({burst, i, context}, binding, next_hop, burst.hairpin & bit(i));
    if (source.lacks_address) {
        burst.drop(i, DropReason::NatAddress);
        return false;
    }
    if (is_without_address(source, binding)) return true;
    TupleSpace space = space_of(context, flow);
    bind_source_by(space, binding, source);
    if (const NatAction* action = source.action; action != nullptr) {
        if (action->kind == NatKind::Snat) choice.pool = context.snapshot->pool_of(*action);
        if (action->kind == NatKind::Masquerade)
            choice.masquerade = static_cast<uint8_t>(burst.packet[i].out_port + 1);
    }
    count_erased(context, space);
    if (goes_elsewhere(burst, i, context, space, binding)) return false;
    if (binding.changes_source()) flow.set_status(flow_status::kSrcNat);
    return true;
}

}  // namespace rampart
