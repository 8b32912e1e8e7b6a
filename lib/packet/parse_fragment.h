// The most frequent fragments, and the datagrams made of them, parsed without detours: IPv4 in
// untagged Ethernet II frames, without options, with nothing wrong. See parse_common.h.
//
// Recognises a subset and leaves everything else to the general parser; tests compare the two.
// Inline: once per packet. Pure functions, any thread.
#pragma once

#include "packet/parse_common.h"

namespace rampart {

// True: `packet` is a fragment, complete, exactly as parse_ipv4 would have left it.
inline bool parse_common_fragment4(Packet& packet, uint8_t* frame, uint32_t contiguous,
                                   uint32_t length, bool verify_checksum) noexcept {
    using namespace common_packet;
    if (contiguous < kTransportOffset) return false;
    // As in parse_common4, but for what says that it is a fragment.
    const uint64_t first = load<uint64_t>(frame + 12);
    const uint32_t second = load<uint32_t>(frame + 20);
    if ((first & 0x00ffffff) != 0x00450008 || (second & 0xff3f) == 0 || !has_plain_macs(frame))
        return false;
    const uint8_t* ip = frame + kIpOffset;
    const uint32_t ip_length = __builtin_bswap32(static_cast<uint32_t>(first >> 32)) >> 16;
    if (ip_length < 20 || ip_length > length - kIpOffset ||
        !(kPlainAddresses[ip[12]] & kPlainSource & kPlainAddresses[ip[16]] >> 1) ||
        (verify_checksum && !has_good_header_checksum(ip)))
        return false;
    set_fields<Family::Ipv4>(packet, frame, contiguous, ip_length - 20,
                             static_cast<uint8_t>(second >> 24), 0,
                             static_cast<uint8_t>(second >> 16));
    return true;
}

// The same of a datagram of UDP. The headers at `frame` are those of its first fragment, which was
// parsed, and have been made the datagram's (write_datagram_header()).
inline bool parse_common_datagram4(Packet& packet, uint8_t* frame, uint32_t contiguous,
                                   uint32_t length) noexcept {
    using namespace common_packet;
    if (contiguous < kTransportOffset + kUdpBytes || length <= kTransportOffset) return false;
    const uint8_t* ip = frame + kIpOffset;
    const uint32_t l4_length = length - kTransportOffset;
    uint8_t tcp_flags;
    if ((load<uint32_t>(frame + 12) & 0x00ffffff) != 0x00450008 || ip[9] != ip_protocol::kUdp ||
        !has_plain_transport(frame + kTransportOffset, ip_protocol::kUdp, l4_length,
                             contiguous - kTransportOffset, tcp_flags))
        return false;
    set_fields<Family::Ipv4>(packet, frame, contiguous, l4_length, ip_protocol::kUdp, tcp_flags,
                             ip[8]);
    set_key4(packet, frame, ip_protocol::kUdp);
    return true;
}

}  // namespace rampart
