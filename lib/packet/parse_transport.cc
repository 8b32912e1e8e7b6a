#include "packet/parse_transport.h"

#include <algorithm>
#include <cstring>

#include "packet/icmp_types.h"
#include "packet/parse_ip.h"
#include "packet/parser.h"

namespace rampart {
namespace {

constexpr uint16_t kTcpBytes = 20, kUdpBytes = 8, kIcmpBytes = 8, kSctpBytes = 12, kPortBytes = 4;

// Bytes of the transport layer that lie in one piece.
uint32_t readable_transport(const Packet& packet) noexcept {
    if (packet.frame_contiguous <= packet.l4_offset) return 0;
    return std::min<uint32_t>(packet.l4_length, packet.frame_contiguous - packet.l4_offset);
}

bool has_good_tcp_offset(const Packet& packet, uint32_t readable) noexcept {
    const unsigned header_length = (packet.l4()[12] >> 4) * 4u;
    return header_length >= kTcpBytes && header_length <= readable;
}

InvalidReason check_tcp(Packet& packet, uint32_t readable) noexcept {
    if (!has_good_tcp_offset(packet, readable)) return InvalidReason::TcpOffset;
    const uint8_t* tcp = packet.l4();
    packet.tcp_flags = tcp[13];
    return are_valid_tcp_flags(tcp[13]) ? InvalidReason::None : InvalidReason::TcpFlags;
}

InvalidReason check_udp(const Packet& packet) noexcept {
    const uint16_t length = load_host16(packet.l4() + 4);
    if (length < kUdpBytes || length > packet.l4_length) return InvalidReason::UdpLength;
    return InvalidReason::None;
}

// RFC 3828, 3.1: the checksum is mandatory; it covers the header at least.
InvalidReason check_udplite(const Packet& packet) noexcept {
    const uint16_t coverage = load_host16(packet.l4() + 4);
    if (coverage != 0 && (coverage < kUdpBytes || coverage > packet.l4_length))
        return InvalidReason::UdpLiteCoverage;
    return load<uint16_t>(packet.l4() + 6) == 0 ? InvalidReason::UdpLiteNoChecksum
                                                : InvalidReason::None;
}

// RFC 2637, 4.1: the GRE of PPTP is version 1 and has a call id, which is the key of its direction.
// Other versions are told apart by addresses alone. False: a version 1 that is not PPTP's.
bool read_call_id(const uint8_t* gre, uint32_t readable, be16& call_id) noexcept {
    constexpr uint16_t kVersionMask = 7, kPptpVersion = 1, kPpp = 0x880b;
    constexpr uint32_t kPptpBytes = 8;
    if (readable < kPptpBytes || (load_host16(gre) & kVersionMask) != kPptpVersion) return true;
    call_id = load<be16>(gre + 6);
    return load_host16(gre + 2) == kPpp;
}

// The part of a quoted packet's transport header that identifies its flow. False: unreadable.
bool read_identity(Tuple& tuple, const uint8_t* l4, uint32_t readable) noexcept {
    if (has_ports(tuple.protocol)) {
        if (readable < kPortBytes) return false;
        tuple.src_port = load<be16>(l4);
        tuple.dst_port = load<be16>(l4 + 2);
        return true;
    }
    if (tuple.protocol == ip_protocol::kGre) return read_call_id(l4, readable, tuple.dst_port);
    const bool is_icmp4 = tuple.protocol == ip_protocol::kIcmp;
    if (!is_icmp4 && tuple.protocol != ip_protocol::kIcmpv6) return true;
    if (readable < kIcmpBytes || is_icmp4 != (tuple.family == Family::Ipv4)) return false;
    const IcmpType type = is_icmp4 ? icmp4_type(l4[0]) : icmp6_type(l4[0]);
    tuple.src_port = load<be16>(l4 + 4);
    tuple.dst_port = load<be16>(l4);
    return type.kind == IcmpKind::Request || type.kind == IcmpKind::Reply;
}

// Reads the packet quoted at `offset`. False: no tuple can be made of it. Only its first fragment
// can be recognised (RFC 5508, 4.2 asks for the same).
bool read_embedded(const Packet& packet, uint16_t offset, QuotedPacket& quoted) noexcept {
    const uint32_t end =
        std::min<uint32_t>(packet.l4_offset + packet.l4_length, packet.frame_contiguous);
    const uint8_t* header = packet.frame + offset;
    quoted = QuotedPacket{};
    Tuple& tuple = quoted.tuple;
    tuple.family = packet.family;
    uint32_t l4_offset = 0;
    if (packet.family == Family::Ipv4) {
        if (offset + 20u > end || header[0] >> 4 != 4) return false;
        const uint32_t header_length = (header[0] & 0x0fu) * 4u;
        if (header_length < 20 || load_host16(header + 6) & 0x1fff) return false;
        tuple.protocol = header[9];
        std::memcpy(tuple.src.data(), header + 12, 4);
        std::memcpy(tuple.dst.data(), header + 16, 4);
        l4_offset = offset + header_length;
    } else {
        if (offset + 40u > end || header[0] >> 4 != 6) return false;
        std::memcpy(tuple.src.data(), header + 8, 16);
        std::memcpy(tuple.dst.data(), header + 24, 16);
        ExtensionWalk walk =
            walk_extensions(packet.frame, end, header[6], static_cast<uint16_t>(offset + 40));
        if (walk.result == ExtensionWalk::Result::Fragment &&
            (load_host16(packet.frame + walk.offset + 2) & 0xfff8) == 0)
            walk = walk_extensions(packet.frame, end, packet.frame[walk.offset],
                                   static_cast<uint16_t>(walk.offset + 8));
        if (walk.result != ExtensionWalk::Result::Transport) return false;
        tuple.protocol = walk.protocol;
        l4_offset = walk.offset;
    }
    quoted.l4_offset = static_cast<uint16_t>(l4_offset);
    quoted.l4_readable = static_cast<uint16_t>(l4_offset < end ? end - l4_offset : 0);
    return read_identity(tuple, packet.frame + l4_offset, quoted.l4_readable);
}

void set_key(Packet& packet, const Tuple& tuple) noexcept {
    const KeyOrder order =
        packet.family == Family::Ipv4 ? make_key(tuple, packet.key4) : make_key(tuple, packet.key6);
    packet.swapped = order.swapped;
    packet.self_inverse = order.self_inverse;
}

// An error belongs to the flow of the packet it quotes (at `offset`), and must be addressed to that
// packet's sender: anything else is a forgery (CVE-2019-5598).
InvalidReason parse_icmp_error(Packet& packet, uint16_t offset) noexcept {
    QuotedPacket quoted;
    if (!read_embedded(packet, offset, quoted)) return InvalidReason::IcmpEmbedded;
    const Tuple& embedded = quoted.tuple;
    const bool is_ipv4 = packet.family == Family::Ipv4;
    if (std::memcmp(packet.l3() + (is_ipv4 ? 16 : 24), embedded.src.data(), is_ipv4 ? 4 : 16) != 0)
        return InvalidReason::IcmpDestination;
    packet.inner_l3_offset = offset;
    packet.is_icmp_error = true;
    set_key(packet, embedded);
    return InvalidReason::None;
}

// RFC 4861, 8.1: from a link-local address, over one link. RFC 4861, 4.6.3: the packet that caused
// it is quoted in an option, here required to be the first, as netfilter does.
InvalidReason parse_redirect(Packet& packet, uint32_t readable) noexcept {
    constexpr uint32_t kRedirectBytes = 40, kOptionBytes = 8;
    constexpr uint8_t kRedirectedHeader = 4;
    const uint8_t* message = packet.l4();
    const uint8_t* src = packet.l3() + 8;
    const bool is_link_local = src[0] == 0xfe && (src[1] & 0xc0) == 0x80;
    if (readable < kRedirectBytes + kOptionBytes || message[1] != 0 || packet.hop_limit != 255 ||
        !is_link_local || message[kRedirectBytes] != kRedirectedHeader ||
        message[kRedirectBytes + 1] == 0)
        return InvalidReason::IcmpRedirect;
    return parse_icmp_error(
        packet, static_cast<uint16_t>(packet.l4_offset + kRedirectBytes + kOptionBytes));
}

// Sets the key of errors itself; of queries the caller does.
InvalidReason parse_icmp(Packet& packet, uint32_t readable) noexcept {
    const bool is_icmp4 = packet.protocol == ip_protocol::kIcmp;
    if (is_icmp4 != (packet.family == Family::Ipv4)) return InvalidReason::IcmpFamily;
    const uint8_t type = *packet.l4();
    switch ((is_icmp4 ? icmp4_type(type) : icmp6_type(type)).kind) {
        case IcmpKind::Error:
            return parse_icmp_error(packet, static_cast<uint16_t>(packet.l4_offset + kIcmpBytes));
        case IcmpKind::Redirect:
            return parse_redirect(packet, readable);
        case IcmpKind::Untracked:
            packet.is_untracked_icmpv6 = true;
            break;
        case IcmpKind::Unknown:
            return InvalidReason::IcmpType;
        case IcmpKind::Request:
        case IcmpKind::Reply:
            break;
    }
    return InvalidReason::None;
}

}  // namespace

bool has_whole_transport_header(const Packet& packet) noexcept {
    const uint32_t readable = readable_transport(packet);
    switch (packet.protocol) {
        case ip_protocol::kTcp:
            return readable >= kTcpBytes && has_good_tcp_offset(packet, readable);
        case ip_protocol::kUdp:
        case ip_protocol::kUdpLite:
            return readable >= kUdpBytes;
        case ip_protocol::kIcmp:
        case ip_protocol::kIcmpv6:
            return readable >= kIcmpBytes;
        case ip_protocol::kSctp:
            return readable >= kSctpBytes;
        default:
            return packet.protocol != ip_protocol::kNoNext;
    }
}

void set_gre_key(Packet& packet, be16 key) noexcept {
    packet.gre_key = key;
    set_key(packet, tuple_of(packet));
}

void parse_transport(Packet& packet) noexcept {
    if (packet.invalid != InvalidReason::None) return;
    const uint32_t readable = readable_transport(packet);
    switch (packet.protocol) {
        case ip_protocol::kTcp:
            packet.invalid =
                readable < kTcpBytes ? InvalidReason::ShortTransport : check_tcp(packet, readable);
            break;
        case ip_protocol::kUdp:
            packet.invalid =
                readable < kUdpBytes ? InvalidReason::ShortTransport : check_udp(packet);
            break;
        case ip_protocol::kIcmp:
        case ip_protocol::kIcmpv6:
            packet.invalid = readable < kIcmpBytes ? InvalidReason::ShortTransport
                                                   : parse_icmp(packet, readable);
            if (packet.is_icmp_error || packet.is_untracked_icmpv6) return;
            break;
        case ip_protocol::kUdpLite:
            packet.invalid =
                readable < kUdpBytes ? InvalidReason::ShortTransport : check_udplite(packet);
            break;
        case ip_protocol::kSctp:
            if (readable < kSctpBytes) packet.invalid = InvalidReason::ShortTransport;
            break;
        case ip_protocol::kGre: {
            be16 call_id;
            packet.gre_key = be16{};
            if (!read_call_id(packet.l4(), readable, call_id))
                packet.invalid = InvalidReason::GrePayload;
            break;
        }
        default:
            break;
    }
    if (packet.invalid != InvalidReason::None) return;
    set_key(packet, tuple_of(packet));
}

Tuple tuple_of(const Packet& packet) noexcept {
    Tuple tuple;
    tuple.family = packet.family;
    tuple.protocol = packet.protocol;
    const uint8_t* header = packet.l3();
    if (packet.family == Family::Ipv4) {
        std::memcpy(tuple.src.data(), header + 12, 4);
        std::memcpy(tuple.dst.data(), header + 16, 4);
    } else {
        std::memcpy(tuple.src.data(), header + 8, 16);
        std::memcpy(tuple.dst.data(), header + 24, 16);
    }
    const uint32_t end =
        std::min<uint32_t>(packet.l4_offset + packet.l4_length, packet.frame_contiguous);
    if (packet.l4_offset + uint32_t{kPortBytes} > end) return tuple;
    const uint32_t readable = end - packet.l4_offset;
    if (has_ports(packet.protocol)) {
        tuple.src_port = load<be16>(packet.l4());
        tuple.dst_port = load<be16>(packet.l4() + 2);
    } else if (is_icmp(packet.protocol)) {
        tuple.dst_port = load<be16>(packet.l4());
        if (readable >= kIcmpBytes && !packet.is_icmp_error)
            tuple.src_port = load<be16>(packet.l4() + 4);
    } else if (packet.protocol == ip_protocol::kGre) {
        read_call_id(packet.l4(), readable, tuple.dst_port);
        if (packet.invalid == InvalidReason::None) tuple.src_port = packet.gre_key;
    }
    return tuple;
}

QuotedPacket quoted_packet_of(const Packet& packet) noexcept {
    QuotedPacket quoted;
    read_embedded(packet, packet.inner_l3_offset, quoted);
    return quoted;
}

Tuple embedded_tuple_of(const Packet& packet) noexcept {
    return quoted_packet_of(packet).tuple;
}

}  // namespace rampart
