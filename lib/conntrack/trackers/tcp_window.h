// TCP window tracking: is a segment within what both sides have announced?
//
// The bounds of van Rooij, "Real stateful TCP packet filtering in IP Filter" (2001), with
// netfilter's later refinements (tcp_in_window): scaling, SACK, unknown windows after a pick-up,
// and tolerance for old retransmissions and small overshoots. Worker only.
#pragma once

#include <array>
#include <cstdint>

#include "conntrack/flow.h"
#include "conntrack/tracker.h"
#include "conntrack/trackers/tcp_states.h"

namespace rampart {

// Modulo 2^32, RFC 9293, 3.4.
constexpr bool is_after(uint32_t a, uint32_t b) noexcept {
    return static_cast<int32_t>(a - b) > 0;
}

// The fields of one segment, in host order.
struct TcpSegment {
    uint32_t seq = 0;
    uint32_t ack = 0;     // 0 without the ACK flag
    uint32_t end = 0;     // seq + data + SYN + FIN
    uint16_t window = 0;  // as on the wire
    uint8_t flags = 0;
    TcpClass tcp_class = TcpClass::None;
    const uint8_t* options = nullptr;
    uint8_t options_size = 0;

    bool has(uint8_t flag) const noexcept { return flags & flag; }
};

// By the flags FIN, SYN, RST and ACK (bits 0, 1, 2 and 4): RST wins over SYN, SYN over FIN.
inline constexpr std::array<TcpClass, 32> kTcpClassOfFlags = [] {
    std::array<TcpClass, 32> classes{};
    for (unsigned flags = 0; flags < classes.size(); ++flags) {
        const bool has_ack = flags & tcp_flag::kAck;
        classes[flags] = flags & tcp_flag::kRst   ? TcpClass::Rst
                         : flags & tcp_flag::kSyn ? (has_ack ? TcpClass::SynAck : TcpClass::Syn)
                         : flags & tcp_flag::kFin ? TcpClass::Fin
                         : has_ack                ? TcpClass::Ack
                                                  : TcpClass::None;
    }
    return classes;
}();

// The header was checked by the parser. Inline: once per TCP packet.
inline TcpSegment read_segment(const Packet& packet) noexcept {
    const uint8_t* header = packet.l4();
    const uint32_t header_bytes = (header[12] >> 4) * 4u;
    TcpSegment segment;
    segment.flags = header[13];
    segment.tcp_class = kTcpClassOfFlags[segment.flags & 0x1f];
    segment.seq = load_host32(header + 4);
    segment.ack = load_host32(header + 8);
    segment.window = load_host16(header + 14);
    segment.end = segment.seq + packet.l4_length - header_bytes + (segment.flags >> 1 & 1) +
                  (segment.flags & 1);  // SYN and FIN occupy one number each
    segment.options = header + 20;
    segment.options_size = static_cast<uint8_t>(header_bytes - 20);
    return segment;
}

struct TcpSynOptions {
    uint8_t scale = 0;
    uint8_t flags = 0;  // tcp_side::kWindowScale, kSackPermitted
};
TcpSynOptions read_syn_options(const TcpSegment& segment) noexcept;

// Sets up both sides from the first packet of a flow.
void begin_window(TcpFlow& tcp, const TcpSegment& segment) noexcept;

enum class WindowResult : uint8_t { Accept, Ignore, Invalid };

// Checks the segment and, when it fits, updates both sides and the retransmission count.
WindowResult check_window(TcpFlow& tcp, Direction direction, TcpState state,
                          const TcpSegment& segment, bool be_liberal) noexcept;

}  // namespace rampart
