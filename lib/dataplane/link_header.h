// Link headers of routed packets: Ethernet, with a tag where the interface is a VLAN.
//
// The header of the frame that came in is replaced; the frame grows or shrinks at its front by the
// tag. Worker that owns the mbuf. IEEE 802.3, 802.1Q.
#pragma once

#include <cstring>

#include <rte_mbuf.h>

#include "base/endian.h"
#include "packet/packet.h"
#include "routing/routing.h"
#include "rules/interface.h"

namespace rampart {

inline constexpr uint16_t kEthernetBytes = 14, kTaggedBytes = 18;

// A frame whose IP header begins at `l3_offset`. Returns where it begins now.
inline uint16_t write_link_header(rte_mbuf* mbuf, uint16_t l3_offset, uint16_t ether_type,
                                  const Interface& out, const Routing& routing,
                                  NeighbourWord neighbour) noexcept {
    const uint16_t wanted = out.vlan == 0 ? kEthernetBytes : kTaggedBytes;
    if (l3_offset != wanted) [[unlikely]] {
        // Within the room in front of every frame (RTE_PKTMBUF_HEADROOM).
        mbuf->data_off = static_cast<uint16_t>(mbuf->data_off + l3_offset - wanted);
        mbuf->data_len = static_cast<uint16_t>(mbuf->data_len + wanted - l3_offset);
        mbuf->pkt_len += wanted;
        mbuf->pkt_len -= l3_offset;
    }
    uint8_t* frame = rte_pktmbuf_mtod(mbuf, uint8_t*);
    neighbour.copy_mac(frame);
    routing.copy_own_mac(neighbour.interface(), frame + 6);
    if (out.vlan != 0) {
        store_host16(frame + 12, ether_type::kVlan);
        store_host16(frame + 14, out.vlan);
    }
    store_host16(frame + wanted - 2, ether_type);
    return wanted;
}

}  // namespace rampart
