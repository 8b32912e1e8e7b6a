// TCP window tracking: is a segment within what both sides have announced?
//
// The bounds of van Rooij, "Real stateful TCP packet filtering in IP Filter" (2001), with
// netfilter's later refinements (tcp_in_window): scaling, SACK, unknown windows after a pick-up,
// and tolerance for old retransmissions and small overshoots. Worker only.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "conntrack/flow.h"
#include "conntrack/tracker.h"
#include "conntrack/trackers/tcp_states.h"

namespace rampart {

// Modulo 2^32, RFC 9293, 3.4. Numbers half the space apart are each after the other, as in Linux.
constexpr bool is_after(uint32_t a, uint32_t b) noexcept {
    return static_cast<int32_t>(b - a) < 0;
}

// The fields of one segment, in host order.
struct TcpSegment {
    uint32_t seq = 0;
    uint32_t ack = 0;     // 0 without the ACK flag
    int32_t shift = 0;    // of what it acknowledges: the peer's own numbers are smaller by this
    uint32_t end = 0;     // seq + data + SYN + FIN
    uint16_t window = 0;  // as on the wire
    uint8_t flags = 0;
    TcpClass tcp_class = TcpClass::None;
    const uint8_t* options = nullptr;
    uint8_t options_size = 0;

    bool has(uint8_t flag) const noexcept { return flags & flag; }
    // No options at all, or a timestamp as hosts align it (RFC 7323, appendix A).
    bool has_plain_options() const noexcept {
        constexpr uint8_t kTimestampBytes = 12;
        return options_size == 0 ||
               (options_size == kTimestampBytes && load_host32(options) == 0x0101080a);
    }
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

// The header was checked by the parser. Inline: once per TCP packet. `flags` are those of the
// header as far as the caller wants to know them.
inline TcpSegment read_segment(const Packet& packet, uint8_t flags) noexcept {
    const uint8_t* header = packet.l4();
    const uint32_t header_bytes = (header[12] >> 4) * 4u;
    const uint64_t numbers = load_host64(header + 4);
    TcpSegment segment;
    segment.flags = flags;
    segment.tcp_class = kTcpClassOfFlags[flags & 0x1f];
    segment.seq = static_cast<uint32_t>(numbers >> 32);
    segment.ack = static_cast<uint32_t>(numbers);
    segment.window = load_host16(header + 14);
    segment.end = segment.seq + packet.l4_length - header_bytes + (segment.flags >> 1 & 1) +
                  (segment.flags & 1);  // SYN and FIN occupy one number each
    segment.options = header + 20;
    segment.options_size = static_cast<uint8_t>(header_bytes - 20);
    return segment;
}
inline TcpSegment read_segment(const Packet& packet) noexcept {
    return read_segment(packet, packet.l4()[13]);
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

// An overly delayed acknowledgement may lag this far behind, at least.
inline constexpr uint32_t kMinAckWindow = 66000;

inline uint32_t ack_window_of(const TcpSide& side) noexcept {
    return std::max(side.max_win, kMinAckWindow);
}

// The four bounds as bits.
constexpr unsigned kUpperData = 1;  // I:   starts within what the peer permits
constexpr unsigned kLowerData = 2;  // II:  not entirely older than the peer's window
constexpr unsigned kUpperAck = 4;   // III: acknowledges only data that was seen
constexpr unsigned kLowerAck = 8;   // IV:  not an overly delayed acknowledgement
constexpr unsigned kAllBounds = kUpperData | kLowerData | kUpperAck | kLowerAck;

inline unsigned check_bounds(const TcpSide& side, const TcpSide& peer, uint32_t seq, uint32_t end,
                             uint32_t sack) noexcept {
    const unsigned upper_data = !is_after(seq, side.max_end);
    const unsigned lower_data =
        unsigned{peer.max_win == 0} | unsigned{is_after(end, side.end - peer.max_win - 1)};
    const unsigned upper_ack = !is_after(sack, peer.end);
    const unsigned lower_ack = is_after(sack, peer.end - ack_window_of(side) - 1);
    return upper_data * kUpperData | lower_data * kLowerData | upper_ack * kUpperAck |
           lower_ack * kLowerAck;
}

// A TcpLast as the two numbers that lie there, the lower parts first: it is written as such, and
// compared but for the class.
struct TcpLastWords {
    uint64_t numbers;  // ack, seq
    uint64_t others;   // end, win, class, direction
};
constexpr TcpLastWords last_words(Direction direction, uint32_t seq, uint32_t ack, uint32_t end,
                                  uint16_t window) noexcept {
    return {uint64_t{seq} << 32 | ack, uint64_t{static_cast<uint8_t>(direction)} << 56 |
                                           uint64_t{static_cast<uint8_t>(TcpClass::Ack)} << 48 |
                                           uint64_t{window} << 32 | end};
}
static_assert(std::bit_cast<TcpLast>(last_words(Direction::Reply, 1, 2, 3, 4)).direction ==
              Direction::Reply);

// Counts identical segments of class `ack` in a row: the connection makes no progress (netfilter's
// max_retrans). Which direction sends next cannot be predicted, so nothing here is a branch.
inline void count_retransmission(TcpFlow& tcp, Direction direction,
                                 const TcpSegment& segment) noexcept {
    constexpr uint64_t kAllButClass = ~(uint64_t{0xff} << 48);
    const auto last = std::bit_cast<TcpLastWords>(tcp.last);
    const TcpLastWords now =
        last_words(direction, segment.seq, segment.ack, segment.end, segment.window);
    const bool is_same =
        ((last.numbers ^ now.numbers) | ((last.others ^ now.others) & kAllButClass)) == 0;
    tcp.retrans = static_cast<uint8_t>(is_same * (tcp.retrans + unsigned{tcp.retrans != 0xff}));
    // Not by its parts: it is read as a whole.
    store(reinterpret_cast<uint8_t*>(&tcp.last), now);
}

// check_bounds() at once, and that the segment ends within what the peer permits: the sign of each
// of these differences says that a bound does not hold.
inline bool is_within_bounds(const TcpSide& side, const TcpSide& peer,
                             const TcpSegment& segment) noexcept {
    const uint32_t differences =
        (side.max_end - segment.seq) | (side.max_end - segment.end) | (peer.end - segment.ack) |
        (segment.end + peer.max_win - side.end) | (segment.ack + ack_window_of(side) - peer.end);
    return static_cast<int32_t>(differences) >= 0;
}

// The usual segment, inline: of class `ack` or `fin` with ACK and without SACK, between sides of
// which both have announced a window, which passes all bounds, does to the windows exactly what
// check_window would do. False: nothing was changed, ask check_window. `has_unacknowledged`: data
// of either side wait for their acknowledgement (read back from the flags, it takes 2 cycles more).
inline bool advance_if_plain(TcpFlow& tcp, Direction direction, const TcpSegment& segment,
                             bool& has_unacknowledged) noexcept {
    const unsigned sender = static_cast<unsigned>(direction);
    TcpSide& side = tcp.side[sender];
    TcpSide& peer = tcp.side[1 - sender];
    const uint32_t window = uint32_t{segment.window} << tcp.scale[sender];
    const uint32_t ack = segment.ack, end = segment.end;
    if (!segment.has_plain_options() || side.max_win == 0 || peer.max_win == 0 || window == 0 ||
        !is_within_bounds(side, peer, segment))
        return false;
    unsigned flags = tcp.flags[sender];
    if (!(flags & tcp_side::kMaxAckSet)) [[unlikely]] {
        flags |= tcp_side::kMaxAckSet;
        side.max_ack = ack;
    }
    // Who sends next, and whether it is data, nobody can predict: no branches.
    side.max_win = std::max(side.max_win, window);
    const bool is_new_data = is_after(end, side.end);
    side.end = is_new_data ? end : side.end;
    flags |= is_new_data * tcp_side::kUnacked;
    side.max_ack = is_after(ack, side.max_ack) ? ack : side.max_ack;
    peer.max_end = is_after(ack + window, peer.max_end - 1) ? ack + window : peer.max_end;
    const bool is_all_acknowledged = ack == peer.end;
    const unsigned peer_flags =
        tcp.flags[1 - sender] & ~(is_all_acknowledged * unsigned{tcp_side::kUnacked});
    tcp.flags[sender] = static_cast<uint8_t>(flags);
    tcp.flags[1 - sender] = static_cast<uint8_t>(peer_flags);
    has_unacknowledged = (flags | peer_flags) & tcp_side::kUnacked;
    return true;
}

}  // namespace rampart
