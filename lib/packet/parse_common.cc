#include "packet/parse_common.h"

#include <algorithm>
#include <bit>

#include "packet/checksum.h"
#include "packet/parse_transport.h"

namespace rampart {
namespace {

constexpr uint32_t kIpOffset = 14, kTransportOffset = 34, kUdpBytes = 8, kTcpBytes = 20;

// One load tells EtherType 0x0800, version 4 and a header of five words.
bool is_plain_ipv4(const uint8_t* frame) noexcept {
    return (load<uint32_t>(frame + 12) & 0x00ffffff) == 0x00450008;
}

// A unicast source and a destination that is not of a bridge's own protocols.
bool has_plain_macs(const uint8_t* frame) noexcept {
    return !(frame[6] & 1) && load<uint32_t>(frame + 8) != 0 &&
           (load<uint32_t>(frame) & 0x00ffffff) != 0x00c28001;
}

// First bytes of addresses that need no closer look: not 0, not 127, below 224 (source) or 240.
bool are_plain_addresses(uint8_t src, uint8_t dst) noexcept {
    return static_cast<uint8_t>(src - 1) < 223 && src != 127 &&
           static_cast<uint8_t>(dst - 1) < 239 && dst != 127;
}

bool has_good_header_checksum(const uint8_t* ip) noexcept {
    const uint64_t sum = checksum_join(load<uint64_t>(ip), load<uint64_t>(ip + 8));
    return checksum_fold(checksum_join(sum, load<uint32_t>(ip + 16))) == 0xffff;
}

// Sorts the two endpoints by rotating both pairs, so that no branch depends on the direction.
void set_key(Packet& packet, const uint8_t* frame) noexcept {
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
    store(key + 8, std::rotl(ports, 16 * swapped));
    store(key + 12, uint32_t{packet.protocol} << 16);  // zone 0
}

}  // namespace

bool parse_common(Packet& packet, uint8_t* frame, uint32_t contiguous, uint32_t length,
                  bool verify_checksum) noexcept {
    if (contiguous < kTransportOffset + kTcpBytes || !is_plain_ipv4(frame) ||
        !has_plain_macs(frame))
        return false;
    const uint8_t* ip = frame + kIpOffset;
    const uint8_t* transport = frame + kTransportOffset;
    const uint32_t ip_length = load_host16(ip + 2);
    const uint8_t protocol = ip[9];
    if (load<uint16_t>(ip + 6) & be16::from_host(0x3fff).raw || ip_length > length - kIpOffset ||
        !are_plain_addresses(ip[12], ip[16]) || (verify_checksum && !has_good_header_checksum(ip)))
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
    packet.hop_limit = ip[8];
    packet.invalid = InvalidReason::None;
    packet.is_icmp_error = false;
    packet.is_datagram = false;
    packet.mark = 0;
    packet.is_untracked_icmpv6 = false;
    set_key(packet, frame);
    return true;
}

}  // namespace rampart
