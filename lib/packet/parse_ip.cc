#include "packet/parse_ip.h"

#include <algorithm>
#include <cstring>

#include "packet/checksum.h"
#include "packet/fragment.h"
#include "packet/parser.h"

namespace rampart {
namespace {

constexpr uint16_t kIpv4Bytes = 20;
constexpr uint16_t kIpv6Bytes = 40;

IpOutcome drop(DropReason reason) noexcept {
    return {true, reason, false};
}

IpOutcome accept(bool is_fragment) noexcept {
    return {false, {}, is_fragment};
}

// RFC 791, 3.1: options up to the end of the header. Source routes (LSRR, SSRR) let a sender choose
// the way around a filter; Linux refuses them unless told otherwise, and so do we.
bool are_options_acceptable(const uint8_t* option, const uint8_t* end) noexcept {
    constexpr uint8_t kEnd = 0, kNop = 1, kLooseRoute = 131, kStrictRoute = 137;
    while (option < end) {
        if (*option == kEnd) return true;
        if (*option == kNop) {
            ++option;
            continue;
        }
        if (*option == kLooseRoute || *option == kStrictRoute) return false;
        if (end - option < 2 || option[1] < 2 || option[1] > end - option) return false;
        option += option[1];
    }
    return true;
}

// RFC 1122, 3.2.1.3 and RFC 6890: addresses that never stand in the source field on a wire. The
// unspecified address may only ask for an address by broadcast (DHCP).
bool is_bad_source4(uint32_t src, uint32_t dst) noexcept {
    if (src == 0) return dst != 0xffffffff;
    return src >> 24 == 0 || src >> 24 == 127 || src >= 0xe0000000;
}

bool is_bad_destination4(uint32_t dst) noexcept {
    return dst >> 24 == 0 || dst >> 24 == 127 || (dst >= 0xf0000000 && dst != 0xffffffff);
}

bool is_prefix(const uint8_t* address, const uint8_t* prefix, size_t bytes) noexcept {
    return std::memcmp(address, prefix, bytes) == 0;
}

constexpr uint8_t kUnspecified6[16] = {};
constexpr uint8_t kLoopback6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr uint8_t kMapped6[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// RFC 4291: 2.5.2, 2.5.3, 2.5.5.2, 2.7.
bool is_bad_source6(const uint8_t* src) noexcept {
    return src[0] == 0xff || is_prefix(src, kLoopback6, 16) || is_prefix(src, kMapped6, 12);
}

bool is_bad_destination6(const uint8_t* dst) noexcept {
    const bool is_node_local = dst[0] == 0xff && (dst[1] & 0x0f) <= 1;
    return is_node_local || is_prefix(dst, kLoopback6, 16) || is_prefix(dst, kMapped6, 12) ||
           is_prefix(dst, kUnspecified6, 16);
}

}  // namespace

IpOutcome parse_ipv4(Packet& packet, uint32_t frame_length, bool verify_checksum) noexcept {
    const uint32_t available = packet.frame_contiguous - packet.l3_offset;
    if (available < kIpv4Bytes) return drop(DropReason::Truncated);
    const uint8_t* header = packet.l3();
    if (header[0] >> 4 != 4) return drop(DropReason::IpVersion);
    const uint16_t header_length = static_cast<uint16_t>((header[0] & 0x0f) * 4);
    const uint16_t total_length = load_host16(header + 2);
    if (header_length < kIpv4Bytes || total_length < header_length || header_length > available ||
        total_length > frame_length - packet.l3_offset)
        return drop(DropReason::IpHeader);
    if (verify_checksum && checksum_fold(checksum_add(0, header, header_length)) != 0xffff)
        return drop(DropReason::IpChecksum);
    if (header_length > kIpv4Bytes &&
        !are_options_acceptable(header + kIpv4Bytes, header + header_length))
        return drop(DropReason::IpOptions);
    const uint32_t src = load_host32(header + 12);
    const uint32_t dst = load_host32(header + 16);
    if (is_bad_source4(src, dst)) return drop(DropReason::IpSource);
    if (is_bad_destination4(dst)) return drop(DropReason::IpDestination);

    packet.family = Family::Ipv4;
    packet.protocol = header[9];
    packet.hop_limit = header[8];
    packet.ip_length = total_length;
    packet.l4_offset = static_cast<uint16_t>(packet.l3_offset + header_length);
    packet.l4_length = static_cast<uint16_t>(total_length - header_length);
    constexpr uint16_t kMoreFragmentsAndOffset = 0x3fff;
    return accept(load_host16(header + 6) & kMoreFragmentsAndOffset);
}

ExtensionWalk walk_extensions(const uint8_t* bytes, uint32_t end, uint8_t next_header,
                              uint16_t offset) noexcept {
    using Result = ExtensionWalk::Result;
    const uint16_t first = offset;
    for (unsigned count = 0;; ++count) {
        switch (next_header) {
            case ip_protocol::kNoNext:
                return {Result::NoTransport, next_header, offset};
            case ip_protocol::kHopByHop:  // RFC 8200, 4.1: only directly after the fixed header
                if (offset != first) return {Result::Malformed, next_header, offset};
                break;
            case ip_protocol::kRouting:
            case ip_protocol::kDestination:
            case ip_protocol::kFragment:
            case ip_protocol::kAh:
                break;
            default:
                return {Result::Transport, next_header, offset};
        }
        if (count == kMaxExtensionHeaders || offset + 8u > end)
            return {Result::Malformed, next_header, offset};
        const uint8_t* header = bytes + offset;
        if (next_header == ip_protocol::kFragment) return {Result::Fragment, next_header, offset};
        // RFC 5095: the type 0 routing header is a means to amplify traffic.
        if (next_header == ip_protocol::kRouting && header[2] == 0)
            return {Result::Malformed, next_header, offset};
        // RFC 4302, 2.2: AH counts in units of four bytes, minus two.
        const uint32_t size =
            next_header == ip_protocol::kAh ? (header[1] + 2u) * 4u : (header[1] + 1u) * 8u;
        if (offset + size > end) return {Result::Malformed, next_header, offset};
        next_header = header[0];
        offset = static_cast<uint16_t>(offset + size);
    }
}

IpOutcome parse_ipv6(Packet& packet, uint32_t frame_length) noexcept {
    const uint32_t available = packet.frame_contiguous - packet.l3_offset;
    if (available < kIpv6Bytes) return drop(DropReason::Truncated);
    const uint8_t* header = packet.l3();
    if (header[0] >> 4 != 6) return drop(DropReason::IpVersion);
    const uint32_t packet_length = load_host16(header + 4) + uint32_t{kIpv6Bytes};
    if (packet_length > frame_length - packet.l3_offset || packet_length > 0xffff)
        return drop(DropReason::IpHeader);
    if (is_bad_source6(header + 8)) return drop(DropReason::IpSource);
    if (is_bad_destination6(header + 24)) return drop(DropReason::IpDestination);

    const uint32_t end =
        std::min<uint32_t>(packet.l3_offset + packet_length, packet.frame_contiguous);
    const ExtensionWalk walk = walk_extensions(
        packet.frame, end, header[6], static_cast<uint16_t>(packet.l3_offset + kIpv6Bytes));
    if (walk.result == ExtensionWalk::Result::Malformed) return drop(DropReason::ExtensionChain);
    const bool is_fragment = walk.result == ExtensionWalk::Result::Fragment;
    const uint8_t protocol = is_fragment ? packet.frame[walk.offset] : walk.protocol;
    const uint16_t l4_offset =
        static_cast<uint16_t>(walk.offset + (is_fragment ? kFragmentHeaderBytes : 0));
    // RFC 4291, 2.5.2: the unspecified address only solicits neighbours and reports listeners.
    if (is_prefix(header + 8, kUnspecified6, 16) && protocol != ip_protocol::kIcmpv6)
        return drop(DropReason::IpSource);

    packet.family = Family::Ipv6;
    packet.protocol = protocol;
    packet.hop_limit = header[7];
    packet.ip_length = static_cast<uint16_t>(packet_length);
    packet.l4_offset = l4_offset;
    packet.l4_length = static_cast<uint16_t>(packet.l3_offset + packet_length - l4_offset);
    if (walk.result == ExtensionWalk::Result::NoTransport)
        packet.invalid = InvalidReason::NoTransport;
    return accept(is_fragment);
}

}  // namespace rampart
