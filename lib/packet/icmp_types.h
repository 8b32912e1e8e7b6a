// Which ICMP and ICMPv6 messages ask, answer, report an error, or are never tracked.
//
// RFC 792, RFC 950, RFC 4443, RFC 4620 and netfilter's inversion tables: only a request may start
// a flow, a reply must find one, and an error belongs to the flow of the packet it quotes. So does
// an ICMPv6 redirect, which quotes in another way; ICMP's redirect is an error like others.
#pragma once

#include <cstdint>

namespace rampart {

enum class IcmpKind : uint8_t { Unknown, Request, Reply, Error, Redirect, Untracked };

struct IcmpType {
    IcmpKind kind = IcmpKind::Unknown;
    uint8_t inverse = 0;  // of requests and replies
};

constexpr IcmpType icmp4_type(uint8_t type) noexcept {
    switch (type) {
        case 8:
            return {IcmpKind::Request, 0};  // echo
        case 0:
            return {IcmpKind::Reply, 8};
        case 13:
            return {IcmpKind::Request, 14};  // timestamp
        case 14:
            return {IcmpKind::Reply, 13};
        case 15:
            return {IcmpKind::Request, 16};  // information
        case 16:
            return {IcmpKind::Reply, 15};
        case 17:
            return {IcmpKind::Request, 18};  // address mask
        case 18:
            return {IcmpKind::Reply, 17};
        case 3:
        case 4:
        case 5:
        case 11:
        case 12:
            return {IcmpKind::Error, 0};
        default:
            return {};
    }
}

constexpr IcmpType icmp6_type(uint8_t type) noexcept {
    switch (type) {
        case 128:
            return {IcmpKind::Request, 129};  // echo
        case 129:
            return {IcmpKind::Reply, 128};
        case 139:
            return {IcmpKind::Request, 140};  // node information
        case 140:
            return {IcmpKind::Reply, 139};
        case 137:
            return {IcmpKind::Redirect, 0};
        case 130:
        case 131:
        case 132:
        case 143:  // multicast listeners
        case 133:
        case 134:
        case 135:
        case 136:  // neighbour discovery
        case 151:
        case 152:
            return {IcmpKind::Untracked, 0};  // multicast routers
        default:
            return type < 128 ? IcmpType{IcmpKind::Error, 0} : IcmpType{};
    }
}

constexpr bool is_neighbour_discovery(uint8_t icmp6_type) noexcept {
    return icmp6_type >= 133 && icmp6_type <= 136;
}

constexpr bool is_multicast_listener(uint8_t icmp6_type) noexcept {
    return (icmp6_type >= 130 && icmp6_type <= 132) || icmp6_type == 143;
}

}  // namespace rampart
