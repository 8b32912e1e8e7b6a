// The most frequent packets, parsed without detours: TCP and UDP in untagged Ethernet II frames,
// without IP options, extension headers or fragments, with nothing wrong. See parser.h.
//
// Recognises a subset and leaves everything else, every drop and every INVALID included, to the
// general parser; a test compares the two on random packets. Branch-free where the data decides.
// Inline: once per packet. Pure function, any thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "packet/checksum.h"
#include "packet/packet.h"
#include "packet/parse_transport.h"

namespace rampart {
namespace common_packet {

inline constexpr uint32_t kIpOffset = 14, kUdpBytes = 8, kTcpBytes = 20;
inline constexpr uint32_t kTransportOffset = kIpOffset + 20, kTransportOffset6 = kIpOffset + 40;

// First bytes of addresses that need no closer look: not 0, not 127, below 224 (source) or 240.
inline constexpr uint8_t kPlainSource = 1, kPlainDestination = 2;
inline constexpr std::array<uint8_t, 256> kPlainAddresses = [] {
    std::array<uint8_t, 256> plain{};
    for (unsigned first = 1; first < 240; ++first)
        if (first != 127)
            plain[first] = first < 224 ? kPlainSource | kPlainDestination : kPlainDestination;
    return plain;
}();

// A unicast source and a destination that is not of a bridge's own protocols.
inline bool has_plain_macs(const uint8_t* frame) noexcept {
    return !(frame[6] & 1) && load<uint32_t>(frame + 8) != 0 &&
           (load<uint32_t>(frame) & 0x00ffffff) != 0x00c28001;
}

inline bool has_good_header_checksum(const uint8_t* ip) noexcept {
    const uint64_t sum = checksum_join(load<uint64_t>(ip), load<uint64_t>(ip + 8));
    return checksum_fold(checksum_join(sum, load<uint32_t>(ip + 16))) == 0xffff;
}

// Neither is a group, nor begins with zeros as the unspecified, the loopback and the mapped
// addresses do.
inline bool has_plain_addresses6(const uint8_t* ip) noexcept {
    return load<uint64_t>(ip + 8) != 0 && load<uint64_t>(ip + 24) != 0 && ip[8] != 0xff &&
           ip[24] != 0xff;
}

// Sorts the two endpoints by rotating both pairs, so that no branch depends on the direction.
inline void set_key4(Packet& packet, const uint8_t* frame, uint8_t protocol) noexcept {
    const uint64_t addresses = load<uint64_t>(frame + 26);
    const uint32_t ports = load<uint32_t>(frame + kTransportOffset);
    const uint64_t hosts = __builtin_bswap64(addresses);
    const uint32_t host_ports = __builtin_bswap32(ports);
    const uint64_t from = (hosts >> 32) << 16 | host_ports >> 16;
    const uint64_t to = (hosts & 0xffffffff) << 16 | (host_ports & 0xffff);
    const int swapped = to < from;
    packet.swapped = swapped;
    packet.self_inverse = to == from;
    uint8_t* key = reinterpret_cast<uint8_t*>(&packet.key4);
    store(key, std::rotl(addresses, 32 * swapped));
    store(key + 8, uint64_t{std::rotl(ports, 16 * swapped)} | uint64_t{protocol} << 48);  // zone 0
}

// The same, by choosing where each address is read.
inline void set_key6(Packet& packet, const uint8_t* frame, uint8_t protocol) noexcept {
    const uint8_t* src = frame + kIpOffset + 8;
    const uint8_t* dst = src + 16;
    const uint32_t ports = load<uint32_t>(frame + kTransportOffset6);
    const uint32_t host_ports = __builtin_bswap32(ports);
    const uint32_t from_port = host_ports >> 16, to_port = host_ports & 0xffff;
    const uint64_t from[] = {__builtin_bswap64(load<uint64_t>(src)),
                             __builtin_bswap64(load<uint64_t>(src + 8))};
    const uint64_t to[] = {__builtin_bswap64(load<uint64_t>(dst)),
                           __builtin_bswap64(load<uint64_t>(dst + 8))};
    const bool is_same_net = to[0] == from[0];
    const bool is_same = is_same_net & (to[1] == from[1]);
    const int swapped =
        (to[0] < from[0]) | (is_same_net & (to[1] < from[1])) | (is_same & (to_port < from_port));
    packet.swapped = swapped;
    packet.self_inverse = is_same & (to_port == from_port);
    const uint8_t* low = src + 16 * swapped;
    const uint8_t* high = dst - 16 * swapped;
    uint8_t* key = reinterpret_cast<uint8_t*>(&packet.key6);
    store(key, load<uint64_t>(low));
    store(key + 8, load<uint64_t>(low + 8));
    store(key + 16, load<uint64_t>(high));
    store(key + 24, load<uint64_t>(high + 8));
    store(key + 32, uint64_t{std::rotl(ports, 16 * swapped)} | uint64_t{protocol} << 48);  // zone 0
    store(key + 40, uint64_t{0});
}

// Whether the transport header is whole and good. `l4_length` of more than 16 bits is none.
inline bool has_plain_transport(const uint8_t* transport, uint8_t protocol, uint32_t l4_length,
                                uint32_t contiguous, uint8_t& tcp_flags) noexcept {
    if (l4_length > 0xffff) return false;
    tcp_flags = 0;
    if (protocol == ip_protocol::kTcp) {
        const uint32_t readable = std::min(l4_length, contiguous);
        if (readable < kTcpBytes) return false;
        const uint32_t header_bytes = (transport[12] >> 4) * 4u;
        tcp_flags = transport[13];
        return header_bytes >= kTcpBytes && header_bytes <= readable &&
               are_valid_tcp_flags(tcp_flags);
    }
    if (protocol != ip_protocol::kUdp) return false;
    const uint32_t udp_length = load_host16(transport + 4);
    return udp_length >= kUdpBytes && udp_length <= l4_length;
}

template <Family kFamily>
inline void set_fields(Packet& packet, uint8_t* frame, uint32_t contiguous, uint32_t l4_length,
                       uint8_t protocol, uint8_t tcp_flags, uint8_t hop_limit) noexcept {
    constexpr uint32_t kL4 = kFamily == Family::Ipv4 ? kTransportOffset : kTransportOffset6;
    packet.frame = frame;
    packet.frame_contiguous = static_cast<uint16_t>(contiguous);
    packet.l3_offset = kIpOffset;
    packet.l4_offset = kL4;
    packet.ip_length = static_cast<uint16_t>(l4_length + (kL4 - kIpOffset));
    packet.l4_length = static_cast<uint16_t>(l4_length);
    packet.ether_type = kFamily == Family::Ipv4 ? ether_type::kIpv4 : ether_type::kIpv6;
    packet.vlan_tci = 0;
    packet.protocol = protocol;
    packet.family = kFamily;
    packet.tcp_flags = tcp_flags;
    packet.hop_limit = hop_limit;
    packet.invalid = InvalidReason::None;
    packet.is_icmp_error = false;
    packet.is_untracked_icmpv6 = false;
    packet.is_datagram = false;
    packet.mark = 0;
}

}  // namespace common_packet

// True: `packet` is complete, exactly as parse_ipv4 and parse_transport would have left it.
inline bool parse_common4(Packet& packet, uint8_t* frame, uint32_t contiguous, uint32_t length,
                          bool verify_checksum) noexcept {
    using namespace common_packet;
    if (contiguous < kTransportOffset + kTcpBytes) return false;
    // EtherType, version and length of the header, type of service, length; then what says
    // whether it is a fragment, hop limit and protocol.
    const uint64_t first = load<uint64_t>(frame + 12);
    const uint32_t second = load<uint32_t>(frame + 20);
    if ((first & 0x00ffffff) != 0x00450008 || (second & 0xff3f) != 0 || !has_plain_macs(frame))
        return false;
    const uint8_t* ip = frame + kIpOffset;
    const uint32_t ip_length = __builtin_bswap32(static_cast<uint32_t>(first >> 32)) >> 16;
    const auto protocol = static_cast<uint8_t>(second >> 24);
    if (ip_length > length - kIpOffset ||
        !(kPlainAddresses[ip[12]] & kPlainSource & kPlainAddresses[ip[16]] >> 1) ||
        (verify_checksum && !has_good_header_checksum(ip)))
        return false;
    const uint32_t l4_length = ip_length - 20;  // may wrap
    uint8_t tcp_flags;
    if (!has_plain_transport(frame + kTransportOffset, protocol, l4_length,
                             contiguous - kTransportOffset, tcp_flags))
        return false;
    set_fields<Family::Ipv4>(packet, frame, contiguous, l4_length, protocol, tcp_flags,
                             static_cast<uint8_t>(second >> 16));
    set_key4(packet, frame, protocol);
    return true;
}

// The same of parse_ipv6.
inline bool parse_common6(Packet& packet, uint8_t* frame, uint32_t contiguous,
                          uint32_t length) noexcept {
    using namespace common_packet;
    if (contiguous < kTransportOffset6 + kUdpBytes) return false;
    // EtherType, version; then the length of what follows, next header and hop limit.
    const uint32_t first = load<uint32_t>(frame + 12);
    const uint32_t second = load<uint32_t>(frame + 18);
    const uint8_t* ip = frame + kIpOffset;
    if ((first & 0x00f0ffff) != 0x0060dd86 || !has_plain_macs(frame) || !has_plain_addresses6(ip))
        return false;
    const uint32_t l4_length = __builtin_bswap32(second) >> 16;
    const auto protocol = static_cast<uint8_t>(second >> 16);
    uint8_t tcp_flags;
    if (l4_length > length - kTransportOffset6 || l4_length > 0xffff - 40 ||
        !has_plain_transport(frame + kTransportOffset6, protocol, l4_length,
                             contiguous - kTransportOffset6, tcp_flags))
        return false;
    set_fields<Family::Ipv6>(packet, frame, contiguous, l4_length, protocol, tcp_flags,
                             static_cast<uint8_t>(second >> 24));
    set_key6(packet, frame, protocol);
    return true;
}

}  // namespace rampart
