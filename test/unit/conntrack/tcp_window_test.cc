// The edges of the window, without packets: one byte inside passes, one byte outside does not.
#include "conntrack/trackers/tcp_window.h"

#include <array>
#include <random>

#include <catch2/catch.hpp>

namespace rampart::test {
namespace {

TcpSegment segment(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length,
                   uint16_t window = 1000) {
    TcpSegment made;
    made.flags = flags;
    made.seq = seq;
    made.ack = flags & tcp_flag::kAck ? ack : 0;
    made.window = window;
    made.end = seq + length + made.has(tcp_flag::kSyn) + made.has(tcp_flag::kFin);
    made.tcp_class = made.has(tcp_flag::kRst) ? TcpClass::Rst
                     : made.has(tcp_flag::kSyn)
                         ? (made.has(tcp_flag::kAck) ? TcpClass::SynAck : TcpClass::Syn)
                     : made.has(tcp_flag::kFin) ? TcpClass::Fin
                                                : TcpClass::Ack;
    return made;
}

// A connection whose sides start at `a` and `b`, with windows of 1000 bytes.
struct Connection {
    explicit Connection(uint32_t a_isn, uint32_t b_isn) : a(a_isn + 1), b(b_isn + 1) {
        using namespace tcp_flag;
        const TcpSegment syn = segment(kSyn, a_isn, 0, 0);
        begin_window(tcp, syn);
        check(Direction::Original, TcpState::None, syn);
        check(Direction::Reply, TcpState::SynSent, segment(kSyn | kAck, b_isn, a, 0));
        check(Direction::Original, TcpState::SynRecv, segment(kAck, a, b, 0));
    }
    WindowResult check(Direction direction, TcpState state, const TcpSegment& what) {
        return check_window(tcp, direction, state, what, false);
    }
    WindowResult data(uint32_t offset, uint32_t length) {
        return check(Direction::Original, TcpState::Established,
                     segment(tcp_flag::kAck, a + offset, b, length));
    }
    WindowResult ack(uint32_t offset) {
        return check(Direction::Reply, TcpState::Established,
                     segment(tcp_flag::kAck, b, a + offset, 0));
    }

    TcpFlow tcp;
    uint32_t a, b;
};

constexpr uint32_t kStarts[] = {1000,       0,          0x7ffffff0, 0x80000000,
                                0xfffffc17, 0xfffffffe, 0xffffffff};

}  // namespace

TEST_CASE("data may start anywhere up to the end of the window, across the wrap too") {
    for (const uint32_t start : kStarts) {
        CHECK(Connection(start, 5000).data(0, 1000) == WindowResult::Accept);
        CHECK(Connection(start, 5000).data(1000, 1) == WindowResult::Accept);
        CHECK(Connection(start, 5000).data(1001, 1) == WindowResult::Ignore);  // a small overshoot
        CHECK(Connection(start, 5000).data(1001, 998) == WindowResult::Ignore);
        CHECK(Connection(start, 5000).data(1001, 999) == WindowResult::Invalid);
        CHECK(Connection(start, 5000).data(0x7fff0000, 1) == WindowResult::Invalid);
    }
}

TEST_CASE("only data that was sent may be acknowledged") {
    for (const uint32_t start : kStarts) {
        Connection connection(start, 5000);
        REQUIRE(connection.data(0, 500) == WindowResult::Accept);
        CHECK(connection.ack(501) == WindowResult::Invalid);
        CHECK(connection.ack(500) == WindowResult::Accept);
        CHECK(connection.ack(0) == WindowResult::Accept);  // late, but not too late
    }
}

TEST_CASE(
    "SACK blocks of a connection that a helper renumbers are numbered as its peer sees them") {
    // Two bytes more were sent on than the sender wrote: its 500 bytes end 502 bytes on.
    Connection connection(1000, 5000);
    connection.tcp.flags[0] |= tcp_side::kSackPermitted;
    REQUIRE(connection.data(0, 500) == WindowResult::Accept);
    const auto sack_to = [&](uint32_t right_edge) {
        const uint32_t edge = connection.a + right_edge;
        const std::array<uint8_t, 12> options = {1,
                                                 1,
                                                 5,
                                                 10,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 static_cast<uint8_t>(edge >> 24),
                                                 static_cast<uint8_t>(edge >> 16),
                                                 static_cast<uint8_t>(edge >> 8),
                                                 static_cast<uint8_t>(edge)};
        TcpSegment made = segment(tcp_flag::kAck, connection.b, connection.a + 100, 0);
        made.shift = 2;
        made.options = options.data();
        made.options_size = options.size();
        return connection.check(Direction::Reply, TcpState::Established, made);
    };
    CHECK(sack_to(503) == WindowResult::Invalid);
    CHECK(sack_to(502) == WindowResult::Accept);
}

TEST_CASE("an acknowledgement may lag by 66000 bytes and not by more") {
    Connection connection(1000, 5000);
    for (uint32_t sent = 0; sent < 70000; sent += 500) {
        REQUIRE(connection.data(sent, 500) == WindowResult::Accept);
        REQUIRE(connection.ack(sent + 500) == WindowResult::Accept);
    }
    CHECK(connection.ack(70000 - 66000) == WindowResult::Accept);
    CHECK(connection.ack(70000 - 66001) == WindowResult::Ignore);
}

TEST_CASE("old data is ignored below the peer's window and accepted within it") {
    Connection connection(1000, 5000);
    for (uint32_t sent = 0; sent < 5000; sent += 500) {
        connection.data(sent, 500);
        connection.ack(sent + 500);
    }
    const uint32_t reach = connection.tcp.side[1].max_win;
    CHECK(connection.data(5000 - reach - 1, 1) == WindowResult::Accept);
    CHECK(connection.data(5000 - reach - 2, 1) == WindowResult::Ignore);
}

TEST_CASE("a zero window still permits the byte of a probe") {
    Connection connection(1000, 5000);
    connection.data(0, 1000);
    connection.check(Direction::Reply, TcpState::Established,
                     segment(tcp_flag::kAck, connection.b, connection.a + 1000, 0, 0));
    CHECK(connection.data(1000, 1) == WindowResult::Accept);
}

TEST_CASE("a window scale counts only when both sides offered one") {
    const uint8_t scale[] = {3, 3, 7, 0};
    for (const bool both : {false, true}) {
        TcpFlow tcp;
        TcpSegment syn = segment(tcp_flag::kSyn, 100, 0, 0);
        syn.options = scale;
        syn.options_size = sizeof(scale);
        begin_window(tcp, syn);
        TcpSegment answer = segment(tcp_flag::kSyn | tcp_flag::kAck, 500, 101, 0);
        if (both) {
            answer.options = scale;
            answer.options_size = sizeof(scale);
        }
        check_window(tcp, Direction::Reply, TcpState::SynSent, answer, false);
        CHECK(tcp.scale[0] == (both ? 7 : 0));
        CHECK(tcp.scale[1] == (both ? 7 : 0));
    }
}

TEST_CASE("all bounds at once are the bounds one by one, half the numbers apart, too") {
    std::mt19937 engine(5);
    const auto random = [&] { return static_cast<uint32_t>(engine()); };
    unsigned held = 0;
    for (unsigned round = 0; round < 500000; ++round) {
        const uint32_t base = random();
        // Somewhere near, or around half the space away.
        const auto number = [&] {
            return base + (random() % 4 == 0 ? 1u << 31 : 0) + random() % 140000 - 70000;
        };
        const TcpSide side{.end = number(), .max_end = number(), .max_win = random() % 70000 + 1};
        const TcpSide peer{.end = number(), .max_end = number(), .max_win = random() % 70000 + 1};
        TcpSegment one;
        one.seq = number();
        one.ack = number();
        one.end = one.seq + random() % 1500;
        const bool is_within = check_bounds(side, peer, one.seq, one.end, one.ack) == kAllBounds &&
                               !is_after(one.end, side.max_end);
        if (is_within_bounds(side, peer, one) != is_within) FAIL("round " << round);
        held += is_within;
    }
    CHECK(held > 10000);
}

TEST_CASE("broken options end the reader within the header") {
    for (const auto& bytes : {std::array<uint8_t, 4>{3, 0, 0, 0},
                              {3, 1, 0, 0},
                              {3, 40, 0, 0},
                              {1, 1, 1, 3},
                              {0, 3, 3, 7},
                              {254, 2, 3, 3}}) {
        TcpSegment syn;
        syn.options = bytes.data();
        syn.options_size = static_cast<uint8_t>(bytes.size());
        CHECK(read_syn_options(syn).flags == 0);
    }
}

}  // namespace rampart::test
