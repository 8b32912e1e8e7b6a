#include "packet/parser.h"

#include <algorithm>

#include "packet/parse_common.h"
#include "packet/parse_ip.h"
#include "packet/parse_transport.h"

namespace rampart {
namespace {

constexpr uint16_t kEthernetBytes = 14;
constexpr uint16_t kVlanTagBytes = 4;
constexpr uint16_t kFirstEtherType = 0x0600;

ParseOutcome drop(DropReason reason) noexcept {
    return {FrameKind::Drop, reason};
}

bool is_vlan_type(uint16_t type) noexcept {
    return type == ether_type::kVlan || type == ether_type::kQinQ || type == 0x9100;
}

// A source that is a group address or zero: no station sends it (IEEE 802.3, 3.2.3).
bool is_bad_source(const uint8_t* mac) noexcept {
    return (mac[0] & 1) || (load<uint32_t>(mac) == 0 && load<uint16_t>(mac + 4) == 0);
}

// 01:80:c2:00:00:00 to :0f, which a bridge never forwards (IEEE 802.1Q, 8.6.3).
bool is_reserved_destination(const uint8_t* mac) noexcept {
    return load_host32(mac) == 0x0180c200 && mac[4] == 0 && (mac[5] & 0xf0) == 0;
}

}  // namespace

ParseOutcome parse_frame(Packet& packet, uint8_t* frame, uint32_t contiguous, uint32_t length,
                         ParseOptions options) noexcept {
    contiguous = std::min(std::min(contiguous, length), 0xffffu);
    if (parse_common4(packet, frame, contiguous, length, options.verify_ip_checksum) ||
        parse_common6(packet, frame, contiguous, length)) [[likely]]
        return {FrameKind::Ip, DropReason::Policy};
    return parse_any(packet, frame, contiguous, length, options);
}

ParseOutcome parse_any(Packet& packet, uint8_t* frame, uint32_t contiguous, uint32_t length,
                       ParseOptions options) noexcept {
    packet.frame = frame;
    packet.frame_contiguous = static_cast<uint16_t>(contiguous);
    packet.family = Family::None;
    packet.vlan_tci = 0;
    if (contiguous < kEthernetBytes) return drop(DropReason::Truncated);
    if (is_bad_source(frame + 6)) return drop(DropReason::SourceMac);

    uint16_t type = load_host16(frame + 12);
    uint16_t offset = kEthernetBytes;
    if (type == ether_type::kVlan) {
        if (contiguous < kEthernetBytes + kVlanTagBytes) return drop(DropReason::Truncated);
        packet.vlan_tci = load_host16(frame + 14);
        type = load_host16(frame + 16);
        offset += kVlanTagBytes;
    }
    if (is_vlan_type(type)) return drop(DropReason::VlanDepth);
    if (type < kFirstEtherType) return drop(DropReason::Llc);
    packet.ether_type = type;
    packet.l3_offset = offset;
    if (type != ether_type::kIpv4 && type != ether_type::kIpv6)
        return {is_reserved_destination(frame) ? FrameKind::Drop : FrameKind::Other,
                DropReason::ReservedMac};
    if (is_reserved_destination(frame)) return drop(DropReason::ReservedMac);

    packet.invalid = InvalidReason::None;
    packet.is_icmp_error = false;
    packet.is_untracked_icmpv6 = false;
    packet.is_datagram = false;
    packet.mark = 0;
    packet.tcp_flags = 0;
    const IpOutcome ip = type == ether_type::kIpv4
                             ? parse_ipv4(packet, length, options.verify_ip_checksum)
                             : parse_ipv6(packet, length);
    if (ip.is_drop) return drop(ip.reason);
    if (ip.is_fragment) return {FrameKind::Fragment, DropReason::Policy};
    parse_transport(packet);
    return {FrameKind::Ip, DropReason::Policy};
}

}  // namespace rampart
