// Replies to rejected packets: a TCP RST or an ICMP destination unreachable, as a whole frame.
//
// The reply runs backwards through the port its cause came from: MAC and IP addresses exchanged,
// VLAN tag kept. A reset has the cause's destination as its source; so has an ICMP error unless the
// caller has an address of its own, which a bridge has not (the kernel's bridge reject does the
// same). Pure function, any thread. Sources: RFC 9293, 3.5.2; RFC
// 792; RFC 1122, 3.2.2; RFC 4443, 2.4 and 3.1; RFC 1812, 4.3.2.7.
#pragma once

#include <cstdint>
#include <span>

#include "packet/packet.h"
#include "packet/verdict.h"

namespace rampart {

// Largest frame that build_reject makes: an ICMPv6 error fills 1280 bytes of IP.
inline constexpr uint32_t kMaxReplyBytes = 18 + 1280;

// True when no reply may ever be sent: RST, ICMP errors, broadcast and multicast (link or IP),
// unspecified sources, packets whose transport header is broken. Of a checksum it knows what
// Packet::invalid says.
bool must_not_answer(const Packet& packet) noexcept;

// The packet may be answered only when its checksum is right: otherwise its ports are hearsay. As
// in Linux (nf_reject), UDP-Lite and SCTP are answered whatever they say.
bool needs_checksum_for_answer(const Packet& packet) noexcept;

// What a rule's reject_with means for this packet.
RejectWith resolve_reject(RejectWith with, const Packet& packet) noexcept;

// Writes the frame into `out` (at least kMaxReplyBytes) and returns its length. 0: no reply can be
// made of this packet (a TCP reset for something that is not TCP).
// `source`: of ICMP errors; null: the cause's destination.
uint32_t build_reject(const Packet& packet, RejectWith with, const AddressBytes* source,
                      std::span<uint8_t> out) noexcept;

// What a router says about a packet that it cannot forward (RFC 792, RFC 4443).
struct IcmpError {
    uint8_t type = 0;
    uint8_t code = 0;
    uint32_t info = 0;  // the second word: an MTU
};
// Whether it may: not about errors, groups, and those who have no address.
bool may_send_error(const Packet& packet) noexcept;
uint32_t build_error(const Packet& packet, const IcmpError& error, const AddressBytes* source,
                     std::span<uint8_t> out) noexcept;

}  // namespace rampart
