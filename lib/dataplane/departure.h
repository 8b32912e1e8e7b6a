// Departure: the short way out of routed packets, whose flow's packets left the same way before.
//
// Inline: once per packet, of flows without a helper. What cannot be done here (no link address, a
// hop limit that ends, a packet that must be cut, IPv6 translation) takes the long way through the
// translate stage. Owner: the worker of the flow.
#pragma once

#include "dataplane/burst.h"
#include "dataplane/context.h"
#include "dataplane/datagram_mark.h"
#include "dataplane/link_header.h"
#include "nat/translation.h"
#include "packet/hop_limit.h"

namespace rampart {

inline bool can_depart_as_before(const Burst& burst, uint32_t i,
                                 const WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    const FlowRef ref = burst.flow[i];
    const Forwarding& forwarding = context.flows.forwarding(ref.index());
    const Flow& flow = context.flows.flow(ref.index());
    if (forwarding.epoch != context.route_epoch) return false;
    if (flow.is_translated() &&
        (packet.family != Family::Ipv4 || packet.protocol == ip_protocol::kSctp))
        return false;
    const uint32_t egress = forwarding.egress[static_cast<unsigned>(ref.direction())];
    if (egress >= kEgressAsItIs) return egress != kNoEgress;
    return packet.hop_limit > 1 && (packet.frame[0] & 1) == 0 &&
           context.routing->neighbour(egress).is_resolved() && !is_datagram(burst.mbuf[i]) &&
           packet.ip_length <=
               context.routing->mtu(flow.out_port[static_cast<unsigned>(ref.direction())]);
}

// After can_depart_as_before() said so.
inline void depart_as_before(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    Packet& packet = burst.packet[i];
    const FlowRef ref = burst.flow[i];
    const unsigned side = static_cast<unsigned>(ref.direction());
    const Forwarding& forwarding = context.flows.forwarding(ref.index());
    if (context.flows.flow(ref.index()).is_translated())
        translate4(packet, forwarding.rewrite[side]);
    const uint32_t egress = forwarding.egress[side];
    if (egress >= kEgressAsItIs) return;
    decrement_hop_limit(packet);
    const Interface& out = context.snapshot->ruleset.names.interfaces[packet.out_port];
    packet.l3_offset = write_link_header(burst.mbuf[i], packet.l3_offset, packet.ether_type, out,
                                         *context.routing, context.routing->neighbour(egress));
    burst.frame_length[i] = burst.mbuf[i]->pkt_len;
}

}  // namespace rampart
