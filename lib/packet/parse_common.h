// The most frequent packets, parsed without detours: TCP and UDP over IPv4 in untagged Ethernet II
// frames, without IP options or fragments, with nothing wrong. See parser.h.
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

inline constexpr uint32_t kIpOffset = 14, kTransportOffset = 34, kUdpBytes = 8, kTcpBytes = 20;

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

// Sorts the two endpoints by rotating both pairs, so that no branch depends on the direction.
inline void set_key(Packet& packet, const uint8_t* frame, uint8_t protocol) noexcept {
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

}  // namespace common_packet

// True: `packet` is complete, exactly as parse_ipv4 and parse_transport would have left it.
inline bool parse_common(Packet& packet, uint8_t* frame, uint32_t contiguous, uint32_t length,
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
    const uint8_t* transport = frame + kTransportOffset;
    const uint32_t ip_length = __builtin_bswap32(static_cast<uint32_t>(first >> 32)) >> 16;
    const auto protocol = static_cast<uint8_t>(second >> 24);
    if (ip_length > length - kIpOffset ||
        !(kPlainAddresses[ip[12]] & kPlainSource & kPlainAddresses[ip[16]] >> 1) ||
        (verify_checksum && !has_good_header_checksum(ip)))
        return false;
    const uint32_t l4_length = ip_length - 20;  // may wrap: then it exceeds every bound below
    uint8_t tcp_flags = 0;
    if (protocol == ip_protocol::kTcp) {
        const uint32_t readable = std::min(l4_length, contiguous - kTransportOffset);
        const uint32_t header_bytes = (transport[12] >> 4) * 4u;
        if (l4_length > 0xffff || header_bytes < kTcpBytes || header_bytes > readable ||
            !are_valid_tcp_flags(transport[13]))
            return false;
        tcp_flags = transport[13];
    } else if (protocol == ip_protocol::kUdp) {
        const uint32_t udp_length = load_host16(transport + 4);
        if (l4_length > 0xffff || udp_length < kUdpBytes || udp_length > l4_length) return false;
    } else {
        return false;
    }
    packet.frame = frame;
    packet.frame_contiguous = static_cast<uint16_t>(contiguous);
    packet.l3_offset = kIpOffset;
    packet.l4_offset = kTransportOffset;
    packet.ip_length = static_cast<uint16_t>(ip_length);
    packet.l4_length = static_cast<uint16_t>(l4_length);
    packet.ether_type = ether_type::kIpv4;
    packet.vlan_tci = 0;
    packet.protocol = protocol;
    packet.family = Family::Ipv4;
    packet.tcp_flags = tcp_flags;
    packet.hop_limit = static_cast<uint8_t>(second >> 16);
    packet.invalid = InvalidReason::None;
    packet.is_icmp_error = false;
    packet.is_untracked_icmpv6 = false;
    packet.is_datagram = false;
    packet.mark = 0;
    set_key(packet, frame, protocol);
    return true;
}

}  // namespace rampart
