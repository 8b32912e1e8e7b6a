// IP protocol numbers, and what those have in common that the firewall knows.
//
// Constant, any thread. Source: IANA's registry "Assigned Internet Protocol Numbers".
#pragma once

#include <cstdint>

namespace rampart {

namespace ip_protocol {
inline constexpr uint8_t kHopByHop = 0, kIcmp = 1, kTcp = 6, kUdp = 17, kRouting = 43,
                         kFragment = 44, kGre = 47, kEsp = 50, kAh = 51, kIcmpv6 = 58, kNoNext = 59,
                         kDestination = 60, kSctp = 132, kUdpLite = 136;
}

// The protocols whose tuple holds ports.
constexpr bool has_ports(uint8_t protocol) noexcept {
    return protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp ||
           protocol == ip_protocol::kSctp || protocol == ip_protocol::kUdpLite;
}

// ICMP of either family: its tuple holds an identifier, a type and a code.
constexpr bool is_icmp(uint8_t protocol) noexcept {
    return protocol == ip_protocol::kIcmp || protocol == ip_protocol::kIcmpv6;
}

}  // namespace rampart
