// Departures: the short way out of routed packets, whose flow's packets left the same way before.
//
// Inline: once per packet, of flows without a helper. What a neighbour's packets need is asked once
// per burst. What cannot be done here (no link address, a hop limit that ends, a packet that must
// be cut, IPv6 translation) takes the long way through the translate stage. For one burst. Owner:
// the worker of the flow.
#pragma once

#include <array>
#include <cstring>

#include "dataplane/burst.h"
#include "dataplane/context.h"
#include "dataplane/datagram_mark.h"
#include "dataplane/link_header.h"
#include "nat/translation.h"
#include "packet/hop_limit.h"

namespace rampart {

class Departures {
  public:
    explicit Departures(const WorkerContext& context) noexcept : context_(context) {}
    Departures(const Departures&) = delete;
    Departures& operator=(const Departures&) = delete;

    bool can_depart(const Burst& burst, uint32_t i, const Flow& flow, const Forwarding& forwarding,
                    unsigned side) noexcept {
        const Packet& packet = burst.packet[i];
        if (forwarding.epoch != context_.route_epoch) return false;
        if (flow.is_translated() &&
            (packet.family != Family::Ipv4 || packet.protocol == ip_protocol::kSctp))
            return false;
        const uint32_t egress = forwarding.egress[side];
        if (egress >= kEgressAsItIs) return egress != kNoEgress;
        const Way& way = way_of(egress);
        // An unresolved neighbour's MTU is 0.
        return packet.ip_length <= way.mtu && packet.hop_limit > 1 && (packet.frame[0] & 1) == 0 &&
               !is_datagram(burst.mbuf[i]);
    }

    // After can_depart() said so.
    void depart(Burst& burst, uint32_t i, const Flow& flow, const Forwarding& forwarding,
                unsigned side) noexcept {
        Packet& packet = burst.packet[i];
        if (flow.is_translated()) {
            if (packet.protocol == ip_protocol::kTcp || packet.protocol == ip_protocol::kUdp)
                translate4_inline(packet, forwarding.rewrite[side]);
            else
                translate4(packet, forwarding.rewrite[side]);
        }
        const uint32_t egress = forwarding.egress[side];
        if (egress >= kEgressAsItIs) return;
        decrement_hop_limit(packet);
        const Way& way = way_of(egress);
        if (packet.l3_offset == kEthernetBytes && !way.is_tagged) [[likely]] {
            std::memcpy(packet.frame, way.addresses, sizeof(way.addresses));
            return;
        }
        const Interface& out = context_.snapshot->ruleset.names.interfaces[packet.out_port];
        packet.l3_offset =
            write_link_header(burst.mbuf[i], packet.l3_offset, packet.ether_type, out,
                              *context_.routing, context_.routing->neighbour(egress));
        burst.frame_length[i] = burst.mbuf[i]->pkt_len;
    }

  private:
    static constexpr uint32_t kWays = 4;
    // To a neighbour.
    struct Way {
        NeighbourSlot slot = kNoNeighbour;
        uint16_t mtu = 0;
        bool is_tagged = false;
        uint8_t addresses[12];  // of the link: destination, source
    };

    const Way& way_of(NeighbourSlot slot) noexcept {
        Way& way = ways_[slot % kWays];
        if (way.slot != slot) [[unlikely]]
            look_up(way, slot);
        return way;
    }
    [[gnu::noinline]] void look_up(Way& way, NeighbourSlot slot) noexcept {
        const NeighbourWord neighbour = context_.routing->neighbour(slot);
        way.slot = slot;
        way.mtu = 0;
        if (!neighbour.is_resolved()) return;
        way.mtu = context_.routing->mtu(neighbour.interface());
        way.is_tagged =
            context_.snapshot->ruleset.names.interfaces[neighbour.interface()].vlan != 0;
        neighbour.copy_mac(way.addresses);
        context_.routing->copy_own_mac(neighbour.interface(), way.addresses + 6);
    }

    const WorkerContext& context_;
    std::array<Way, kWays> ways_;
};

}  // namespace rampart
