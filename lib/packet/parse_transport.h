// The transport layer of the parser: what can be tracked, and under which key. See parser.h.
#pragma once

#include "packet/packet.h"

namespace rampart {

// The flag sets that hosts send, ignoring PSH, ECE and CWR (netfilter's tcp_valid_flags): one bit
// for each value of URG ACK RST SYN FIN packed into five bits.
inline constexpr uint32_t kValidTcpFlags = [] {
    using namespace tcp_flag;
    constexpr uint8_t sets[] = {kSyn,        kSyn | kUrg, kSyn | kAck,        kRst,
                                kRst | kAck, kFin | kAck, kFin | kAck | kUrg, kAck,
                                kAck | kUrg};
    uint32_t bits = 0;
    for (uint8_t set : sets)
        bits |= 1u << ((set & 0x07) | (set & 0x30) >> 1);
    return bits;
}();

inline bool are_valid_tcp_flags(uint8_t flags) noexcept {
    return kValidTcpFlags >> ((flags & 0x07) | (flags & 0x30) >> 1) & 1;
}

// The transport header, with TCP's options, lies within the packet and can be read. True of
// protocols whose header is not known here.
bool has_whole_transport_header(const Packet& packet) noexcept;

// Expects the IP fields of `packet`; sets key, swapped, tcp_flags and the ICMP marks, or `invalid`.
void parse_transport(Packet& packet) noexcept;

}  // namespace rampart
