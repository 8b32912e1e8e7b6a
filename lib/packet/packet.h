// Packet: the parsed view of one frame.
//
// The parser fills it from the bytes; later stages read it. It owns nothing: `frame` points into
// the mbuf that stands at the same index of the Burst, and is valid as long as that mbuf is.
// Everything an IPv4 packet needs is in the first cache line.
// Owner: the worker that holds the burst.
//
// field valid after parse()     IP frame            other frame
//   frame, l3_offset            yes                 yes
//   ether_type, vlan_tci        yes                 yes
//   the rest                    yes                 no
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"
#include "packet/invalid_reason.h"
#include "packet/ip_protocol.h"
#include "packet/tuple.h"

namespace rampart {

namespace tcp_flag {
inline constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10,
                         kUrg = 0x20, kEce = 0x40, kCwr = 0x80;
}

namespace ether_type {
inline constexpr uint16_t kIpv4 = 0x0800, kArp = 0x0806, kVlan = 0x8100, kIpv6 = 0x86dd,
                          kQinQ = 0x88a8;
}

struct alignas(64) Packet {
    Packet() noexcept {}  // the parser sets every field that its kind of frame has

    uint8_t* frame = nullptr;   // first byte of the Ethernet header
    uint16_t frame_contiguous;  // bytes readable at `frame` without a gap
    uint16_t l3_offset;         // from `frame` to the IP header (or the payload of other frames)
    uint16_t l4_offset;         // from `frame` to the transport header
    uint16_t ip_length;         // bytes from the IP header to the end of the IP packet
    uint16_t l4_length;         // bytes from the transport header to the end of the IP packet
    uint16_t ether_type;        // host order, of the innermost tag
    uint16_t vlan_tci;          // host order; 0 without a tag
    uint16_t inner_l3_offset;   // ICMP errors: from `frame` to the embedded IP header
    uint8_t protocol;           // IP protocol after the extension headers
    Family family;              // None: not IP
    uint8_t tcp_flags;          // TCP only
    uint8_t hop_limit;          // TTL or hop limit
    uint8_t in_port;            // InterfaceIndex; kNoInterface: from a kernel twin
    uint8_t out_port;           // set by the route stage; kToBox: to the kernel twin
    // Swapped endpoints relative to `key`; for an ICMP error, of the embedded packet.
    bool swapped;
    bool self_inverse;
    InvalidReason invalid;  // None, or why the packet cannot be tracked
    // An ICMP error: `key` is that of the embedded packet.
    bool is_icmp_error;
    // Neighbour discovery and its kin (RFC 4861, RFC 3810): never tracked.
    bool is_untracked_icmpv6;
    bool is_datagram;  // was put together from fragments; set by the reassemble stage
    uint32_t mark;     // what rules noted about this packet; 0 at first
    be16 gre_key;      // GRE: what its header does not tell (conntrack/gre_key_map.h); 0 at first
    union {            // by `family`; meaningless when `invalid` is set
        FlowKey4 key4;
        FlowKey6 key6;
    };

    const uint8_t* l3() const noexcept { return frame + l3_offset; }
    const uint8_t* l4() const noexcept { return frame + l4_offset; }
    uint8_t* l3() noexcept { return frame + l3_offset; }
    uint8_t* l4() noexcept { return frame + l4_offset; }
};
static_assert(sizeof(Packet) == 128);
static_assert(offsetof(Packet, key4) == 48, "the IPv4 key ends the first cache line");

}  // namespace rampart
