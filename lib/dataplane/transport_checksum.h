// The checksum of a packet's transport layer, as the NIC says or as its bytes do.
//
// Reads all segments. Protocols without a checksum that is known here are good; so are zero UDP
// checksums. Pure function, any thread. Sources: RFC 1071, 768, 9293, 4443, 3828, 9260.
#pragma once

#include <rte_mbuf.h>

#include "packet/checksum.h"
#include "packet/packet.h"

namespace rampart {

// The transport header must be whole (Packet::invalid is None, or has_whole_transport_header()).
bool is_checksum_right(const rte_mbuf* mbuf, const Packet& packet) noexcept;

// The same for TCP and UDP in one piece, inline.
template <Family kFamily>
inline bool has_good_checksum_at_once(const Packet& packet) noexcept {
    const uint8_t* l4 = packet.l4();
    if (packet.protocol == ip_protocol::kUdp && load<uint16_t>(l4 + 6) == 0) return true;
    const auto sum = kFamily == Family::Ipv4 ? pseudo_header_sum4 : pseudo_header_sum6;
    const uint64_t pseudo = sum(packet.l3(), packet.protocol, packet.l4_length);
    return checksum_fold(checksum_add(pseudo, l4, packet.l4_length)) == 0xffff;
}

// The same of a datagram of UDP over IPv4 whose segments have even sizes, but for the last, and
// nothing behind the datagram.
inline bool has_good_udp_checksum_in_pieces(const rte_mbuf* mbuf, const Packet& packet) noexcept {
    const uint8_t* l4 = packet.l4();
    if (load<uint16_t>(l4 + 6) == 0) return true;
    uint64_t sum = pseudo_header_sum4(packet.l3(), ip_protocol::kUdp, packet.l4_length);
    sum = checksum_add(sum, l4, size_t{mbuf->data_len} - packet.l4_offset);
    for (mbuf = mbuf->next; mbuf != nullptr; mbuf = mbuf->next)
        sum = checksum_add(sum, rte_pktmbuf_mtod(mbuf, const uint8_t*), mbuf->data_len);
    return checksum_fold(sum) == 0xffff;
}

// Makes the checksum of an SCTP packet anew.
void write_sctp_checksum(const rte_mbuf* mbuf, const Packet& packet) noexcept;

// The same, but for asking the NIC first. What it calls bad is checked again: drivers disagree
// about a zero UDP checksum.
inline bool has_good_transport_checksum(const rte_mbuf* mbuf, const Packet& packet) noexcept {
    const uint64_t by_nic = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    return by_nic == RTE_MBUF_F_RX_L4_CKSUM_GOOD || is_checksum_right(mbuf, packet);
}

}  // namespace rampart
