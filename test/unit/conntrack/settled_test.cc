// The short way of settled flows against the tracker: random segments, kept in order by a tame
// sender most of the time, through two copies of the same flow.
#include "conntrack/trackers/settled.h"

#include <cstring>
#include <random>

#include <catch2/catch.hpp>

#include "conntrack/tracker.h"
#include "packet/parser.h"
#include "support/frame.h"
#include "support/packet_line.h"

namespace rampart::test {
namespace {

struct Segment {
    uint32_t seq, ack, length;
    uint16_t window;
    const char* flags;
    const char* options;
};

class Pair {
  public:
    explicit Pair(const ConntrackSettings& settings)
        : settings_(settings), timeouts_(SettledTimeouts::of(settings, [](Tick t) { return t; })) {}

    // True when the short way was taken.
    bool send(Direction direction, const Segment& segment) {
        const bool is_original = direction == Direction::Original;
        Bytes frame =
            frame_of(std::string("tcp ") + (is_original ? kForth : kBack) + " " + segment.flags +
                     " seq " + std::to_string(segment.seq) + " ack " + std::to_string(segment.ack) +
                     " len " + std::to_string(segment.length) + " win " +
                     std::to_string(segment.window) + segment.options);
        Packet packet;
        REQUIRE(parse_frame(packet, frame.data(), static_cast<uint32_t>(frame.size()),
                            static_cast<uint32_t>(frame.size()), {})
                    .kind == FrameKind::Ip);
        const Tracker& tracker = tracker_of(ip_protocol::kTcp);
        const TrackOutcome expected =
            (is_new_ ? tracker.first : tracker.update)({packet, slow_, direction, settings_, 100});
        Tick timeout = 0;
        const bool is_short = !is_new_ && is_settled(quick_.status.load()) &&
                              update_settled(quick_, packet, direction, timeouts_, timeout);
        if (is_short) {
            CHECK(expected.result == TrackResult::Accept);
            CHECK(expected.refresh);
            CHECK(expected.timeout == timeout);
        } else {
            const TrackOutcome other = (is_new_ ? tracker.first : tracker.update)(
                {packet, quick_, direction, settings_, 100});
            CHECK(other.result == expected.result);
        }
        is_new_ = false;
        if (!is_original && expected.result == TrackResult::Accept)
            for (Flow* flow : {&slow_, &quick_})
                flow->set_status(flow_status::kSeenReply);
        CHECK(std::memcmp(&slow_, &quick_, sizeof(Flow)) == 0);
        return is_short;
    }

  private:
    static constexpr const char* kForth = "10.0.0.2:4000 > 192.0.2.1:80";
    static constexpr const char* kBack = "192.0.2.1:80 > 10.0.0.2:4000";
    ConntrackSettings settings_;
    SettledTimeouts timeouts_;
    Flow slow_, quick_;
    bool is_new_ = true;
};

}  // namespace

TEST_CASE("settled flows take the short way and end up where the tracker leaves them") {
    std::mt19937 random(31);
    const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
    uint32_t taken = 0, sent = 0;
    for (uint32_t run = 0; run < 200; ++run) {
        ConntrackSettings settings;
        settings.tcp_max_retrans = static_cast<uint8_t>(below(4));
        settings.tcp_be_liberal = below(4) == 0;
        Pair pair(settings);
        const uint32_t starts[] = {0u, 0x7ffffff0u, 0xffffff00u, 1000u};
        uint32_t next[2] = {starts[below(4)], starts[below(4)]};
        pair.send(Direction::Original, {next[0]++, 0, 0, 65000, "S", " opt wscale=7"});
        pair.send(Direction::Reply, {next[1]++, next[0], 0, 65000, "SA", " opt wscale=7"});
        pair.send(Direction::Original, {next[0], next[1], 0, 500, "A", ""});
        for (uint32_t step = 0; step < 60; ++step) {
            const unsigned side = below(2);
            const bool is_wild = below(12) == 0;
            const char* const flags[] = {"PA", "FA", "RA", "A", "SA", "S"};
            const char* const options[] = {"", " opt nop,nop,ts", " opt nop,nop,sack=1-2"};
            Segment segment{next[side],
                            next[1 - side],
                            below(3) == 0 ? 0 : below(1000),
                            static_cast<uint16_t>(below(8) == 0 ? 0 : 500 + below(3)),
                            is_wild ? flags[below(6)] : "A",
                            options[below(3) == 0 ? 1 + below(2) : 0]};
            if (is_wild) segment.seq += below(4) == 0 ? 1u << 30 : below(3000) - 1500;
            if (below(10) == 0) segment.ack += below(2000) - 1000;
            taken += pair.send(static_cast<Direction>(side), segment);
            ++sent;
            if (!is_wild && below(4) != 0) next[side] += segment.length;  // else it is sent again
        }
    }
    CHECK(taken > sent / 4);
    CHECK(taken < sent);
}

TEST_CASE("a flow with something special about it is not settled") {
    using namespace flow_status;
    CHECK(is_settled(kConfirmed | kSeenReply | kAssured));
    CHECK(is_settled(kConfirmed | kSeenReply | kAssured | kSrcNat | kDstNat | kExpected));
    CHECK_FALSE(is_settled(kConfirmed | kSeenReply));
    CHECK_FALSE(is_settled(kConfirmed | kAssured));
    for (const uint16_t special : {kDying, kFixedTimeout, kHelper, kRuleTimeout})
        CHECK_FALSE(is_settled(static_cast<uint16_t>(kSeenReply | kAssured | special)));
}

}  // namespace rampart::test
