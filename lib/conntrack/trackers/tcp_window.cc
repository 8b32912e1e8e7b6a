#include "conntrack/trackers/tcp_window.h"

#include <algorithm>

#include "base/endian.h"

namespace rampart {
namespace {

constexpr uint8_t kMaxScale = 14;  // RFC 7323, 2.3
constexpr uint8_t kOptionEnd = 0, kOptionNop = 1, kOptionScale = 3, kOptionSackPermitted = 4,
                  kOptionSack = 5;

unsigned index_of(Direction direction) noexcept {
    return static_cast<unsigned>(direction);
}

// Calls `visit(kind, data, size)` for each well-formed option; stops at the first broken one.
template <typename Visit>
void for_each_option(const TcpSegment& segment, Visit visit) noexcept {
    const uint8_t* option = segment.options;
    const uint8_t* end = option + segment.options_size;
    while (option < end && *option != kOptionEnd) {
        if (*option == kOptionNop) {
            ++option;
            continue;
        }
        if (end - option < 2 || option[1] < 2 || option[1] > end - option) return;
        visit(option[0], option + 2, static_cast<uint8_t>(option[1] - 2));
        option += option[1];
    }
}

// The highest right edge among the SACK blocks, or the ACK itself (RFC 2018, 3).
uint32_t highest_sack(const TcpSegment& segment, uint32_t ack) noexcept {
    uint32_t highest = ack;
    for_each_option(segment, [&](uint8_t kind, const uint8_t* data, uint8_t size) {
        if (kind != kOptionSack || size % 8 != 0) return;
        for (unsigned block = 0; block < size; block += 8) {
            const uint32_t right_edge =
                load_host32(data + block + 4) - static_cast<uint32_t>(segment.shift);
            if (is_after(right_edge, highest)) highest = right_edge;
        }
    });
    return highest;
}

// A SYN tells everything about its sender.
void begin_side(TcpFlow& tcp, unsigned sender, const TcpSegment& segment) noexcept {
    TcpSide& side = tcp.side[sender];
    side.end = side.max_end = segment.end;
    side.max_win = std::max<uint32_t>(segment.window, 1);
    // Without any option, netfilter leaves what an earlier SYN of this side said.
    if (segment.options_size != 0) {
        const TcpSynOptions options = read_syn_options(segment);
        tcp.scale[sender] = options.scale;
        tcp.flags[sender] =
            static_cast<uint8_t>((tcp.flags[sender] & tcp_side::kBeLiberal) | options.flags);
    }
    // RFC 7323, 2.2: scaling needs both sides' consent.
    const bool is_reply = sender == index_of(Direction::Reply);
    if (is_reply && !(tcp.flags[0] & tcp.flags[1] & tcp_side::kWindowScale))
        tcp.scale[0] = tcp.scale[1] = 0;
}

// The start of the connection was not seen: take the packet at its word.
void adopt_side(TcpFlow& tcp, unsigned sender, const TcpSegment& segment, uint32_t sack) noexcept {
    TcpSide& side = tcp.side[sender];
    TcpSide& peer = tcp.side[1 - sender];
    side.end = segment.end;
    side.max_win = std::max<uint32_t>(uint32_t{segment.window} << tcp.scale[sender], 1);
    side.max_end = segment.end + side.max_win;
    if (peer.max_win == 0) {
        peer.end = peer.max_end = sack;
    } else if (sack == peer.end + 1) {
        ++peer.end;
    }
}

// What an accepted segment tells about both sides. `side` and `peer` are copies of the two sides,
// so that the compiler keeps them in registers; they are written back once.
void advance(TcpFlow& tcp, unsigned sender, TcpSide side, TcpSide peer, const TcpSegment& segment,
             uint32_t ack, uint32_t sack, uint32_t end) noexcept {
    const unsigned shift = segment.has(tcp_flag::kSyn) ? 0 : tcp.scale[sender];
    const uint32_t window = uint32_t{segment.window} << shift;
    uint8_t flags = tcp.flags[sender];
    side.max_win = std::max(side.max_win, window + (sack - ack));
    if (is_after(end, side.end)) {
        side.end = end;
        flags |= tcp_side::kUnacked;
    }
    if (segment.has(tcp_flag::kAck)) {
        if (!(flags & tcp_side::kMaxAckSet) || is_after(ack, side.max_ack)) side.max_ack = ack;
        flags |= tcp_side::kMaxAckSet;
    }
    if (peer.max_win != 0 && is_after(end, side.max_end)) peer.max_win += end - side.max_end;
    // A zero window still permits a probe of one byte.
    const uint32_t permitted = sack + window + (window == 0);
    if (is_after(sack + window, peer.max_end - 1)) peer.max_end = permitted;
    if (ack == peer.end) tcp.flags[1 - sender] &= static_cast<uint8_t>(~tcp_side::kUnacked);
    tcp.flags[sender] = flags;
    tcp.side[sender] = side;
    tcp.side[1 - sender] = peer;
}

}  // namespace

TcpSynOptions read_syn_options(const TcpSegment& segment) noexcept {
    TcpSynOptions options;
    for_each_option(segment, [&](uint8_t kind, const uint8_t* data, uint8_t size) {
        if (kind == kOptionSackPermitted && size == 0) options.flags |= tcp_side::kSackPermitted;
        if (kind == kOptionScale && size == 1) {
            options.scale = std::min(*data, kMaxScale);
            options.flags |= tcp_side::kWindowScale;
        }
    });
    return options;
}

void begin_window(TcpFlow& tcp, const TcpSegment& segment) noexcept {
    tcp = TcpFlow{};
    if (segment.tcp_class == TcpClass::Syn) {
        begin_side(tcp, index_of(Direction::Original), segment);
        return;
    }
    // Picked up: the window scale is unknown, so windows are never enforced for this flow.
    TcpSide& side = tcp.side[0];
    side.end = segment.end;
    side.max_win = std::max<uint32_t>(segment.window, 1);
    side.max_end = side.end + side.max_win;
    tcp.flags[0] = tcp.flags[1] = tcp_side::kSackPermitted | tcp_side::kBeLiberal;
}

WindowResult check_window(TcpFlow& tcp, Direction direction, TcpState state,
                          const TcpSegment& segment, bool be_liberal) noexcept {
    using namespace tcp_flag;
    const unsigned sender = index_of(direction);
    TcpSide& side = tcp.side[sender];
    const TcpSide& peer = tcp.side[1 - sender];
    uint32_t seq = segment.seq, end = segment.end, ack = segment.ack;
    uint32_t sack = ack;
    if (segment.options_size != 0 && tcp.flags[1 - sender] & tcp_side::kSackPermitted)
        sack = highest_sack(segment, ack);

    if (side.max_win == 0) [[unlikely]] {
        if (segment.has(kSyn)) {
            begin_side(tcp, sender, segment);
            if (!segment.has(kAck)) return WindowResult::Accept;  // simultaneous open
        } else {
            adopt_side(tcp, sender, segment, sack);
        }
    } else if (segment.has(kSyn) && is_after(end, side.end) &&
               (state == TcpState::SynSent || state == TcpState::SynRecv)) {
        // A SYN with another initial number replaces one that got lost (RFC 9293, 3.5).
        begin_side(tcp, sender, segment);
        if (direction == Direction::Reply && !segment.has(kAck)) return WindowResult::Accept;
    }

    if (!segment.has(kAck) || (segment.has(kRst) && ack == 0)) ack = sack = peer.end;
    if (segment.has(kRst) && seq == 0 && state == TcpState::SynSent) seq = end = side.end;

    const unsigned bounds = check_bounds(side, peer, seq, end, sack);
    if (bounds == kAllBounds) [[likely]] {
        advance(tcp, sender, side, peer, segment, ack, sack, end);
        if (segment.tcp_class == TcpClass::Ack) count_retransmission(tcp, direction, segment);
        return WindowResult::Accept;
    }
    const bool is_small_overshoot =
        bounds == (kAllBounds & ~kUpperData) && end - side.max_end + 1 <= peer.max_win;
    if (is_small_overshoot) {
        side.end = end;
        tcp.flags[sender] |= tcp_side::kUnacked;
    }
    if (be_liberal || tcp.flags[sender] & tcp_side::kBeLiberal) return WindowResult::Accept;
    if (!(bounds & kUpperData))
        return is_small_overshoot ? WindowResult::Ignore : WindowResult::Invalid;
    return bounds & kUpperAck ? WindowResult::Ignore : WindowResult::Invalid;
}

}  // namespace rampart
