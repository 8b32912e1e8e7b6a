// route: the interface a packet would leave by, before the rules ask for it.
//
// Bridge pairs: the other port. Routed ports: the kernel's routes, which also say what is for the
// box itself; what cannot be forwarded ends here, with the answer that a router owes (RFC 1812,
// 5.2.7 and 5.3.1; RFC 4443, 3).
#include <algorithm>

#include "dataplane/datagram_mark.h"
#include "dataplane/stages.h"
#include "packet/hop_limit.h"
#include "packet/parser.h"

namespace rampart {
namespace {

bool refuse(Burst& burst, uint32_t i, WorkerContext& context, DropReason reason,
            const IcmpError& error) noexcept {
    burst.drop(i, reason);
    answer_error(burst, i, context, error);
    return false;
}

// Which of several equal routes: the same for all packets between two hosts, as the kernel does by
// default (fib_multipath_hash_policy 0).
uint32_t hop_hash(const Tuple& tuple) noexcept {
    uint64_t mix = load<uint64_t>(tuple.src.data()) ^ load<uint64_t>(tuple.src.data() + 8);
    mix = mix * 0x9e3779b97f4a7c15u ^ load<uint64_t>(tuple.dst.data()) ^
          load<uint64_t>(tuple.dst.data() + 8);
    mix *= 0xd6e8feb86659fd93u;
    return static_cast<uint32_t>(mix >> 32);
}

bool refuse_route(Burst& burst, uint32_t i, WorkerContext& context, RouteKind kind) noexcept {
    const bool is_ipv4 = burst.packet[i].family == Family::Ipv4;
    switch (kind) {
        case RouteKind::Blackhole:
            burst.drop(i, DropReason::RouteRefused);
            return false;
        case RouteKind::Unreachable:
            return refuse(burst, i, context, DropReason::RouteRefused,
                          is_ipv4 ? IcmpError{3, 1} : IcmpError{1, 0});
        case RouteKind::Prohibit:
            return refuse(burst, i, context, DropReason::RouteRefused,
                          is_ipv4 ? IcmpError{3, 13} : IcmpError{1, 1});
        default:
            return refuse(burst, i, context, DropReason::NoRoute,
                          is_ipv4 ? IcmpError{3, 0} : IcmpError{1, 0});
    }
}

// To an address that the twin is only about to get (RFC 2131, 4.1).
bool is_dhcp_answer(const Tuple& tuple) noexcept {
    constexpr uint16_t kServer = 67, kClient = 68;
    return tuple.family == Family::Ipv4 && tuple.protocol == ip_protocol::kUdp &&
           tuple.src_port.host() == kServer && tuple.dst_port.host() == kClient;
}

// Sets where the packet goes; anything but a way out is returned.
RouteKind look_up(Burst& burst, uint32_t i, WorkerContext& context, const Tuple& tuple) noexcept {
    Packet& packet = burst.packet[i];
    const Route route = context.routing->find(packet.family, tuple.dst, hop_hash(tuple));
    packet.out_port = kNoInterface;
    burst.egress[i] = kNoEgress;
    if (route.kind == RouteKind::Local) {
        packet.out_port = kToBox;
        burst.egress[i] = kEgressToBox;
    } else if (is_dhcp_answer(tuple) &&
               (route.kind == RouteKind::NoRoute || route.interface == packet.in_port)) {
        packet.out_port = kToBox;
        burst.egress[i] = kEgressToBox;
        return RouteKind::Local;
    } else if (route.kind == RouteKind::OnLink || route.kind == RouteKind::Gateway) {
        const bool is_on_link = route.kind == RouteKind::OnLink;
        packet.out_port = route.interface;
        burst.next_hop[i] = {route.interface, is_on_link ? packet.family : route.next_hop_family,
                             is_on_link ? tuple.dst : route.next_hop};
        burst.egress[i] = context.routing->find_neighbour(burst.next_hop[i]);
    }
    return route.kind;
}

bool is_link_local6(const uint8_t* address) noexcept {
    return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

// The MTU of the way, and whether the packet fits or may be made to.
bool fits(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    const uint16_t mtu = context.routing->mtu(packet.out_port);
    rte_mbuf* mbuf = burst.mbuf[i];
    if (packet.ip_length <= mtu && !is_datagram(mbuf)) [[likely]]
        return true;
    const bool is_ipv4 = packet.family == Family::Ipv4;
    const bool has_df = is_ipv4 && packet.l3()[6] & 0x40;
    const bool was_cut = is_datagram(mbuf);
    FragmentShape shape = was_cut ? datagram_shape(mbuf) : FragmentShape{};
    // A datagram that came in fragments leaves in fragments no larger than they were.
    const bool is_too_big =
        was_cut ? shape.largest > mtu && (!is_ipv4 || shape.dont_fragment) : !is_ipv4 || has_df;
    if (is_too_big)
        return refuse(burst, i, context, DropReason::TooBig,
                      is_ipv4 ? IcmpError{3, 4, mtu} : IcmpError{2, 0, mtu});
    if (was_cut && shape.largest <= mtu) return true;
    shape.largest = mtu;
    mark_datagram(mbuf, shape);
    return true;
}

}  // namespace

bool find_way(Burst& burst, uint32_t i, WorkerContext& context, const Tuple& tuple) noexcept {
    Packet& packet = burst.packet[i];
    if (packet.in_port == kNoInterface) {  // the kernel has routed it
        burst.egress[i] = kEgressAsItIs;
        return true;
    }
    const RouteKind kind = look_up(burst, i, context, tuple);
    if (packet.out_port == kNoInterface) return refuse_route(burst, i, context, kind);
    return true;
}

InterfaceIndex guess_way(Burst& burst, uint32_t i, WorkerContext& context,
                         const Tuple& tuple) noexcept {
    Packet& packet = burst.packet[i];
    if (packet.in_port == kNoInterface) return packet.out_port;
    const InterfaceIndex before = packet.out_port;
    look_up(burst, i, context, tuple);
    const InterfaceIndex found = packet.out_port;
    packet.out_port = before;
    return found;
}

bool begin_hop(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    Packet& packet = burst.packet[i];
    if (packet.out_port == kToBox || packet.in_port == kNoInterface) return true;
    if (packet.frame[0] & 1) {  // RFC 1122, 3.3.6: not what came to a link-layer group
        burst.drop(i, DropReason::OtherHost);
        return false;
    }
    const bool is_ipv4 = packet.family == Family::Ipv4;
    if (!is_ipv4 && is_link_local6(packet.l3() + 8)) {
        burst.drop(i, DropReason::IpSource);  // RFC 4291, 2.5.6
        return false;
    }
    // The kernel has such a route for each of its links; none of them leads to another one.
    if (!is_ipv4 && is_link_local6(packet.l3() + 24))
        return refuse(burst, i, context, DropReason::NoRoute, IcmpError{1, 0});
    if (packet.hop_limit <= 1)
        return refuse(burst, i, context, DropReason::TtlExceeded,
                      is_ipv4 ? IcmpError{11, 0} : IcmpError{3, 0});
    if (!fits(burst, i, context)) return false;
    decrement_hop_limit(packet);
    burst.begun |= bit(i);
    return true;
}

namespace {

void leave(Burst& burst, uint32_t i) noexcept {
    burst.tracked &= ~bit(i);
    burst.starting &= ~bit(i);
    burst.flowless &= ~bit(i);
}

// The destination that the rules see is the one behind a translation.
void note_translation(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    const FlowRef ref = burst.flow[i];
    const Flow& flow = context.flows.flow(ref.index());
    const uint16_t status = flow.status.load();
    if (!flow_status::is_translated(status) || (status & flow_status::kConfirmed) == 0) return;
    const Packet& packet = burst.packet[i];
    const Direction direction = ref.direction();
    const Tuple target = invert(context.flows.tuple_of(ref.index(), opposite(direction)));
    const bool changes_destination =
        status & (direction == Direction::Original ? flow_status::kDstNat : flow_status::kSrcNat);
    Tuple& tuple = burst.tuple[i] = tuple_of(packet);
    burst.tupled |= bit(i);
    if (changes_destination) {
        tuple.dst = target.dst;
        const bool has_id = is_icmp(tuple.protocol);
        if (!packet.is_icmp_error)
            (has_id ? tuple.src_port : tuple.dst_port) = has_id ? target.src_port : target.dst_port;
    }
    burst.translated |= bit(i);
    burst.departing |= bit(i);
}

void route_routed(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    if (burst.tracked & bit(i)) note_translation(burst, i, context);
    burst.departing |= bit(i);
    const Tuple& tuple = tuple_for_rules(burst, i);
    if (burst.starting & bit(i) && translates(context)) {
        // Its destination may still be translated. Where it would go now is good enough for the
        // classifier to be asked for many packets at once.
        burst.unrouted |= bit(i);
        if (burst.packet[i].in_port != kNoInterface) look_up(burst, i, context, tuple);
        return;
    }
    if (!find_way(burst, i, context, tuple) || !begin_hop(burst, i, context)) leave(burst, i);
}

}  // namespace

bool finish_route(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    if (!(burst.unrouted & bit(i))) return true;
    burst.unrouted &= ~bit(i);
    if (!burst.flow[i].is_none() && !(burst.translated & bit(i)))
        note_translation(burst, i, context);
    const InterfaceIndex guess = burst.packet[i].out_port;
    if (!find_way(burst, i, context, tuple_for_rules(burst, i))) return false;
    if (burst.packet[i].out_port != guess) burst.proposed &= ~bit(i);
    return begin_hop(burst, i, context);
}

void route(Burst& burst, WorkerContext& context) noexcept {
    const std::vector<Interface>& interfaces = context.snapshot->ruleset.names.interfaces;
    for_each(burst.tracked | burst.starting | burst.flowless, [&](uint32_t i) {
        Packet& packet = burst.packet[i];
        if (context.routing != nullptr && context.is_routed(packet.in_port))
            return route_routed(burst, i, context);
        if (packet.in_port < interfaces.size())
            packet.out_port = interfaces[packet.in_port].bridge_peer;
        if (packet.out_port != kNoInterface) return;
        leave(burst, i);
        burst.drop(i, DropReason::NoPeer);
    });
}

}  // namespace rampart
