// The parser: bytes of one frame -> Packet, or a reason to drop it.
//
// Reads only what lies within both `contiguous` and `length`, whatever the headers claim. Faults of
// the frame and of the IP layer end in Drop, as the kernel's IP input would do; faults of the
// transport layer set Packet::invalid instead, because rules decide about INVALID packets.
// Transport checksums are verified by the parse stage, which knows what the NIC has checked.
// Pure function, any thread. Sources: IEEE 802.3 and 802.1Q, RFC 791, 8200, 9293, 768, 792, 4443.
#pragma once

#include <cstdint>

#include "packet/drop_reason.h"
#include "packet/packet.h"

namespace rampart {

// Headers must lie within this many bytes of the frame; a longer IPv6 chain is dropped.
inline constexpr uint32_t kMaxHeaderBytes = 256;
inline constexpr unsigned kMaxExtensionHeaders = 8;

enum class FrameKind : uint8_t {
    Ip,
    Fragment,  // of an IP packet: no key, l4 is its piece of the datagram (fragment.h)
    Other,
    Drop
};

struct ParseOutcome {
    FrameKind kind;
    DropReason reason;  // of Drop
};

struct ParseOptions {
    bool verify_ip_checksum = true;  // false when the NIC has verified the IPv4 header checksum
};

// `length` is the whole frame, `contiguous` the bytes readable at `frame` (at least
// min(length, kMaxHeaderBytes)). Does not touch Packet::in_port and out_port.
ParseOutcome parse_frame(Packet& packet, uint8_t* frame, uint32_t contiguous, uint32_t length,
                         ParseOptions options) noexcept;

// The same without the short cut for frequent packets (parse_common.h), for tests.
ParseOutcome parse_any(Packet& packet, uint8_t* frame, uint32_t contiguous, uint32_t length,
                       ParseOptions options) noexcept;

// The tuple of an IP packet in its own direction, for rules and for new flows. Ports are zero when
// the packet is too short to have them.
Tuple tuple_of(const Packet& packet) noexcept;

// Completes the tuple of a GRE packet whose source key is known.
void set_gre_key(Packet& packet, be16 key) noexcept;

// The packet that an ICMP error quotes; only when packet.is_icmp_error.
struct QuotedPacket {
    Tuple tuple;
    uint16_t l4_offset = 0;    // from `frame` to its transport header
    uint16_t l4_readable = 0;  // bytes of that, as far as they are quoted
};
QuotedPacket quoted_packet_of(const Packet& packet) noexcept;
// Its tuple.
Tuple embedded_tuple_of(const Packet& packet) noexcept;

}  // namespace rampart
