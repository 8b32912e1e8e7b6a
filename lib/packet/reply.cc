#include "packet/reply.h"

#include <algorithm>
#include <cstring>

#include "packet/checksum.h"
#include "packet/icmp_types.h"
#include "packet/parse_transport.h"

namespace rampart {
namespace {

constexpr uint32_t kIpv4Bytes = 20, kIpv6Bytes = 40, kTcpBytes = 20, kIcmpBytes = 8;
constexpr uint32_t kMaxIpv4Reply = 576;   // RFC 1812, 4.3.2.3
constexpr uint32_t kMaxIpv6Reply = 1280;  // RFC 4443, 2.4 (c)
constexpr uint8_t kHopLimit = 64;

// What ICMPv4 and ICMPv6 say for a reason. The families do not know the same ones; where one lacks
// a reason, the nearest stands (RFC 4443, 3.1: codes 5 and 6 are kinds of code 1).
IcmpError icmp_code(RejectWith with, Family family) noexcept {
    const bool is_ipv4 = family == Family::Ipv4;
    switch (with) {
        case RejectWith::NetUnreachable:
            return is_ipv4 ? IcmpError{3, 0} : IcmpError{1, 0};
        case RejectWith::HostUnreachable:
            return is_ipv4 ? IcmpError{3, 1} : IcmpError{1, 3};
        case RejectWith::ProtoUnreachable:
            return is_ipv4 ? IcmpError{3, 2} : IcmpError{1, 4};
        case RejectWith::NetProhibited:
            return is_ipv4 ? IcmpError{3, 9} : IcmpError{1, 1};
        case RejectWith::HostProhibited:
            return is_ipv4 ? IcmpError{3, 10} : IcmpError{1, 1};
        case RejectWith::AdminProhibited:
            return is_ipv4 ? IcmpError{3, 13} : IcmpError{1, 1};
        case RejectWith::PolicyFail:
            return is_ipv4 ? IcmpError{3, 13} : IcmpError{1, 5};
        case RejectWith::RejectRoute:
            return is_ipv4 ? IcmpError{3, 13} : IcmpError{1, 6};
        case RejectWith::None:
        case RejectWith::Default:
        case RejectWith::TcpReset:
        case RejectWith::PortUnreachable:
            break;
    }
    return is_ipv4 ? IcmpError{3, 3} : IcmpError{1, 4};
}

// Exchanged MAC addresses, the same tag and type.
void write_link_header(const Packet& packet, uint8_t* out) noexcept {
    std::memcpy(out, packet.frame, packet.l3_offset);
    std::memcpy(out, packet.frame + 6, 6);
    std::memcpy(out + 6, packet.frame, 6);
}

void write_ipv4(const Packet& packet, uint8_t* out, uint32_t payload, uint8_t protocol,
                uint8_t tos) noexcept {
    std::memset(out, 0, kIpv4Bytes);
    out[0] = 0x45;
    out[1] = tos;
    store_host16(out + 2, static_cast<uint16_t>(kIpv4Bytes + payload));
    store_host16(out + 6, 0x4000);  // DF
    out[8] = kHopLimit;
    out[9] = protocol;
    std::memcpy(out + 12, packet.l3() + 16, 4);
    std::memcpy(out + 16, packet.l3() + 12, 4);
    store(out + 10, checksum_of(out, kIpv4Bytes));
}

void write_ipv6(const Packet& packet, uint8_t* out, uint32_t payload, uint8_t protocol) noexcept {
    std::memset(out, 0, 8);
    out[0] = 0x60;
    store_host16(out + 4, static_cast<uint16_t>(payload));
    out[6] = protocol;
    out[7] = kHopLimit;
    std::memcpy(out + 8, packet.l3() + 24, 16);
    std::memcpy(out + 24, packet.l3() + 8, 16);
}

void write_source(uint8_t* ip, Family family, const AddressBytes* source) noexcept {
    if (source == nullptr) return;
    const bool is_ipv4 = family == Family::Ipv4;
    std::memcpy(ip + (is_ipv4 ? 12 : 8), source->data(), is_ipv4 ? 4 : 16);
    if (!is_ipv4) return;
    store_host16(ip + 6, 0);  // a host's own errors may be cut (Linux: IP_PMTUDISC_DONT)
    std::memset(ip + 10, 0, 2);
    store(ip + 10, checksum_of(ip, kIpv4Bytes));
}

// Writes the IP header for `payload` bytes that already stand behind it and returns the sum of the
// pseudo header and the payload.
struct ReplyIp {
    uint8_t protocol;
    uint8_t tos = 0;
    const AddressBytes* source = nullptr;  // null: the cause's destination
};

uint64_t finish_ip(const Packet& packet, uint8_t* ip, uint32_t payload,
                   const ReplyIp& reply) noexcept {
    const uint8_t protocol = reply.protocol;
    if (packet.family == Family::Ipv4) {
        write_ipv4(packet, ip, payload, protocol, reply.tos);
        write_source(ip, packet.family, reply.source);
        const uint64_t pseudo =
            protocol == ip_protocol::kIcmp ? 0 : pseudo_header_sum4(ip, protocol, payload);
        return checksum_add(pseudo, ip + kIpv4Bytes, payload);
    }
    write_ipv6(packet, ip, payload, protocol);
    write_source(ip, packet.family, reply.source);
    return checksum_add(pseudo_header_sum6(ip, protocol, payload), ip + kIpv6Bytes, payload);
}

uint32_t ip_header_bytes(Family family) noexcept {
    return family == Family::Ipv4 ? kIpv4Bytes : kIpv6Bytes;
}

// RFC 9293, 3.5.2: with an ACK, the reset takes its sequence number from it; without one it
// acknowledges everything the segment occupied.
uint32_t build_reset(const Packet& packet, uint8_t* out) noexcept {
    using namespace tcp_flag;
    const uint8_t* cause = packet.l4();
    uint8_t* ip = out + packet.l3_offset;
    uint8_t* tcp = ip + ip_header_bytes(packet.family);
    std::memset(tcp, 0, kTcpBytes);
    std::memcpy(tcp, cause + 2, 2);
    std::memcpy(tcp + 2, cause, 2);
    tcp[12] = (kTcpBytes / 4) << 4;
    if (packet.tcp_flags & kAck) {
        std::memcpy(tcp + 4, cause + 8, 4);
        tcp[13] = kRst;
    } else {
        const uint32_t header = (cause[12] >> 4) * 4u;
        const uint32_t occupied =
            packet.l4_length - header + !!(packet.tcp_flags & kSyn) + !!(packet.tcp_flags & kFin);
        store_host32(tcp + 8, load_host32(cause + 4) + occupied);
        tcp[13] = kRst | kAck;
    }
    const uint64_t sum = finish_ip(packet, ip, kTcpBytes, {ip_protocol::kTcp});
    store(tcp + 16, static_cast<uint16_t>(~checksum_fold(sum)));
    return static_cast<uint32_t>(tcp + kTcpBytes - out);
}

uint32_t write_error(const Packet& packet, const IcmpError& code, const AddressBytes* source,
                     uint8_t* out) noexcept {
    const bool is_ipv4 = packet.family == Family::Ipv4;
    uint8_t* ip = out + packet.l3_offset;
    uint8_t* icmp = ip + ip_header_bytes(packet.family);
    const uint32_t limit =
        (is_ipv4 ? kMaxIpv4Reply : kMaxIpv6Reply) - ip_header_bytes(packet.family) - kIcmpBytes;
    const uint32_t quoted = std::min(
        {limit, uint32_t{packet.ip_length}, uint32_t{packet.frame_contiguous} - packet.l3_offset});
    std::memset(icmp, 0, kIcmpBytes);
    icmp[0] = code.type;
    icmp[1] = code.code;
    store_host32(icmp + 4, code.info);
    std::memcpy(icmp + kIcmpBytes, packet.l3(), quoted);
    // RFC 1812, 4.3.2.5: errors travel with precedence "internetwork control".
    const uint8_t tos = static_cast<uint8_t>(0xc0 | (packet.l3()[1] & 0x1e));
    const uint8_t protocol = is_ipv4 ? ip_protocol::kIcmp : ip_protocol::kIcmpv6;
    const uint64_t sum = finish_ip(packet, ip, kIcmpBytes + quoted, {protocol, tos, source});
    store(icmp + 2, static_cast<uint16_t>(~checksum_fold(sum)));
    return static_cast<uint32_t>(icmp + kIcmpBytes + quoted - out);
}

bool is_group_or_unspecified(const uint8_t* address, Family family) noexcept {
    if (family == Family::Ipv4)
        return load<uint32_t>(address) == 0 || load_host32(address) >= 0xe0000000;
    return address[0] == 0xff || (load<uint64_t>(address) | load<uint64_t>(address + 8)) == 0;
}

// RFC 1122, 3.2.2, and RFC 4443, 2.4 (e): no error about an error or a redirect. An unknown type is
// an error in ICMP, as Linux sees it; ICMPv6 tells by the number.
bool is_icmp_without_answer(const Packet& packet) noexcept {
    if (packet.protocol != ip_protocol::kIcmp && packet.protocol != ip_protocol::kIcmpv6)
        return false;
    const bool is_ipv4 = packet.family == Family::Ipv4;
    const IcmpKind kind = (is_ipv4 ? icmp4_type(*packet.l4()) : icmp6_type(*packet.l4())).kind;
    return kind != IcmpKind::Request && kind != IcmpKind::Reply &&
           (is_ipv4 || kind != IcmpKind::Unknown);
}

}  // namespace

bool needs_checksum_for_answer(const Packet& packet) noexcept {
    return packet.protocol == ip_protocol::kTcp || packet.protocol == ip_protocol::kUdp ||
           is_icmp(packet.protocol);
}

bool must_not_answer(const Packet& packet) noexcept {
    // Packets that raw exempts from tracking have no `invalid`, whatever they look like.
    if (packet.frame[0] & 1 || packet.invalid == InvalidReason::NoTransport ||
        !has_whole_transport_header(packet))
        return true;
    if (packet.invalid == InvalidReason::Checksum && needs_checksum_for_answer(packet)) return true;
    if (packet.protocol == ip_protocol::kTcp && packet.tcp_flags & tcp_flag::kRst) return true;
    if (is_icmp_without_answer(packet)) return true;
    const bool is_ipv4 = packet.family == Family::Ipv4;
    return is_group_or_unspecified(packet.l3() + (is_ipv4 ? 12 : 8), packet.family) ||
           is_group_or_unspecified(packet.l3() + (is_ipv4 ? 16 : 24), packet.family);
}

RejectWith resolve_reject(RejectWith with, const Packet& packet) noexcept {
    if (with != RejectWith::Default) return with;
    return packet.protocol == ip_protocol::kTcp ? RejectWith::TcpReset
                                                : RejectWith::PortUnreachable;
}

bool may_send_error(const Packet& packet) noexcept {
    const bool is_ipv4 = packet.family == Family::Ipv4;
    return (packet.frame[0] & 1) == 0 &&
           (!has_whole_transport_header(packet) || !is_icmp_without_answer(packet)) &&
           !is_group_or_unspecified(packet.l3() + (is_ipv4 ? 12 : 8), packet.family) &&
           !is_group_or_unspecified(packet.l3() + (is_ipv4 ? 16 : 24), packet.family);
}

uint32_t build_error(const Packet& packet, const IcmpError& error, const AddressBytes* source,
                     std::span<uint8_t> out) noexcept {
    if (out.size() < kMaxReplyBytes) return 0;
    write_link_header(packet, out.data());
    return write_error(packet, error, source, out.data());
}

uint32_t build_reject(const Packet& packet, RejectWith with, const AddressBytes* source,
                      std::span<uint8_t> out) noexcept {
    if (out.size() < kMaxReplyBytes) return 0;
    write_link_header(packet, out.data());
    const RejectWith resolved = resolve_reject(with, packet);
    if (resolved == RejectWith::TcpReset)
        return packet.protocol == ip_protocol::kTcp ? build_reset(packet, out.data()) : 0;
    return write_error(packet, icmp_code(resolved, packet.family), source, out.data());
}

}  // namespace rampart
