// TCP window tracking: is a segment within what both sides have announced?
//
// The bounds of van Rooij, "Real stateful TCP packet filtering in IP Filter" (2001), with
// netfilter's later refinements (tcp_in_window): scaling, SACK, unknown windows after a pick-up, and
// tolerance for old retransmissions and small overshoots. Worker only.
#pragma once

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
    uint32_t ack = 0;  // 0 without the ACK flag
    uint32_t end = 0;  // seq + data + SYN + FIN
    uint16_t window = 0;  // as on the wire
    uint8_t flags = 0;
    TcpClass tcp_class = TcpClass::None;
    const uint8_t* options = nullptr;
    uint8_t options_size = 0;

    bool has(uint8_t flag) const noexcept { return flags & flag; }
};

// The header was checked by the parser.
TcpSegment read_segment(const Packet& packet) noexcept;

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
