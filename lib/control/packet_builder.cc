#include "control/packet_builder.h"

#include <algorithm>

#include "packet/checksum.h"
#include "packet/icmp_types.h"
#include "packet/packet.h"

namespace rampart {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t kIpv4Bytes = 20, kUdpBytes = 8;

void add16(Bytes& bytes, size_t value) {
    bytes.push_back(static_cast<uint8_t>(value >> 8));
    bytes.push_back(static_cast<uint8_t>(value));
}

void add_zeros(Bytes& bytes, size_t count) {
    bytes.resize(bytes.size() + count);
}

Bytes ethernet(const PacketFields& fields) {
    Bytes bytes(fields.mac_dst.begin(), fields.mac_dst.end());
    bytes.insert(bytes.end(), fields.mac_src.begin(), fields.mac_src.end());
    if (fields.vlan != 0) {
        add16(bytes, ether_type::kVlan);
        add16(bytes, fields.vlan);
    }
    add16(bytes, fields.src.family == Family::Ipv4 ? ether_type::kIpv4 : ether_type::kIpv6);
    return bytes;
}

// The header of an IP packet with `payload` bytes behind it.
Bytes ip(const PacketFields& fields, size_t payload) {
    Bytes bytes;
    if (fields.src.family == Family::Ipv6) {
        bytes = {static_cast<uint8_t>(0x60 | fields.dscp >> 2),
                 static_cast<uint8_t>(fields.dscp << 6), 0, 0};
        add16(bytes, payload);
        bytes.push_back(fields.protocol);
        bytes.push_back(fields.hop_limit);
        bytes.insert(bytes.end(), fields.src.bytes.begin(), fields.src.bytes.end());
        bytes.insert(bytes.end(), fields.dst.bytes.begin(), fields.dst.bytes.end());
        return bytes;
    }
    bytes = {0x45, static_cast<uint8_t>(fields.dscp << 2)};
    add16(bytes, kIpv4Bytes + payload);
    add_zeros(bytes, 4);
    bytes.push_back(fields.hop_limit);
    bytes.push_back(fields.protocol);
    add_zeros(bytes, 2);
    bytes.insert(bytes.end(), fields.src.bytes.begin(), fields.src.bytes.begin() + 4);
    bytes.insert(bytes.end(), fields.dst.bytes.begin(), fields.dst.bytes.begin() + 4);
    store(bytes.data() + 10, checksum_of(bytes.data(), kIpv4Bytes));
    return bytes;
}

Bytes quoted_packet(const PacketFields& error) {
    PacketFields fields;
    fields.src = error.dst;
    fields.dst = error.src;
    fields.protocol = ip_protocol::kUdp;
    Bytes bytes = ip(fields, kUdpBytes);
    add16(bytes, fields.sport);
    add16(bytes, 33434);
    add16(bytes, kUdpBytes);
    add16(bytes, 0);
    return bytes;
}

Bytes icmp(const PacketFields& fields) {
    Bytes bytes{fields.icmp_type, fields.icmp_code, 0, 0, 0, 0, 0, 0};
    const IcmpType type = fields.protocol == ip_protocol::kIcmp ? icmp4_type(fields.icmp_type)
                                                                : icmp6_type(fields.icmp_type);
    if (type.kind == IcmpKind::Error) {
        const Bytes quoted = quoted_packet(fields);
        bytes.insert(bytes.end(), quoted.begin(), quoted.end());
    } else if (type.kind == IcmpKind::Untracked) {
        add_zeros(bytes, 16);  // the address that neighbour discovery is about
    }
    return bytes;
}

// `payload`: bytes behind the IP header, as far as they are known; 0: the header alone.
Bytes transport(const PacketFields& fields, size_t payload) {
    Bytes bytes;
    switch (fields.protocol) {
        case ip_protocol::kTcp:
            add16(bytes, fields.sport);
            add16(bytes, fields.dport);
            add_zeros(bytes, 8);
            bytes.push_back(0x50);
            bytes.push_back(fields.tcp_flags);
            add16(bytes, 65535);
            add_zeros(bytes, 4);
            break;
        case ip_protocol::kUdp:
        case ip_protocol::kUdpLite:
            add16(bytes, fields.sport);
            add16(bytes, fields.dport);
            // UDP-Lite: the checksum covers all, and must be there.
            add16(bytes, fields.protocol == ip_protocol::kUdp ? std::max(payload, kUdpBytes) : 0);
            add16(bytes, fields.protocol == ip_protocol::kUdp ? 0 : 1);
            break;
        case ip_protocol::kSctp:
            add16(bytes, fields.sport);
            add16(bytes, fields.dport);
            add_zeros(bytes, 8);
            bytes.insert(bytes.end(),
                         {1, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1});
            break;
        case ip_protocol::kIcmp:
        case ip_protocol::kIcmpv6:
            return icmp(fields);
        case ip_protocol::kGre:
            bytes = {0, 0, 8, 0};
            break;
        default:
            add_zeros(bytes, 8);
    }
    return bytes;
}

}  // namespace

BuiltPacket build_packet(const PacketFields& fields) {
    const size_t ip_bytes = fields.src.family == Family::Ipv4 ? kIpv4Bytes : size_t{40};
    const size_t least = transport(fields, 0).size();
    const size_t payload =
        std::max(least, size_t{fields.ip_length} - std::min<size_t>(fields.ip_length, ip_bytes));
    BuiltPacket built;
    built.frame = ethernet(fields);
    built.headers_length = static_cast<uint32_t>(ip_bytes + least);
    built.frame_length = static_cast<uint32_t>(built.frame.size() + ip_bytes + payload);
    const Bytes header = ip(fields, payload);
    built.frame.insert(built.frame.end(), header.begin(), header.end());
    const Bytes body = transport(fields, payload);
    built.frame.insert(built.frame.end(), body.begin(), body.end());
    return built;
}

}  // namespace rampart
