// DSCP: the differentiated services code point of a packet, and the names of the registered ones.
//
// Six bits of the IPv4 TOS byte or the IPv6 traffic class (RFC 2474); names as in IANA's registry
// (RFC 2474, 2597, 3246, 5865, 8622). Pure functions, any thread.
#pragma once

#include "packet/packet.h"
#include "rules/number_ranges.h"

namespace rampart {

// Also what `set_dscp` takes, but for ranges.
extern const NumberSyntax kDscpSyntax;

inline uint8_t dscp_of(const Packet& packet) noexcept {
    const uint8_t* ip = packet.l3();
    if (packet.family == Family::Ipv4) return static_cast<uint8_t>(ip[1] >> 2);
    return static_cast<uint8_t>((ip[0] & 0x0f) << 2 | ip[1] >> 6);
}

}  // namespace rampart
