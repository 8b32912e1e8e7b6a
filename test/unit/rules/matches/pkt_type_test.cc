#include <cstring>

#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("pkt_type tells stations, groups and everybody apart") {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    uint8_t frame[64] = {0x52, 0x54};
    sample.packet.frame = frame;
    const RuleBench unicast("{ pkt_type: unicast }", "pkt_type");
    const RuleBench broadcast("{ pkt_type: broadcast }", "pkt_type");
    const RuleBench multicast("{ pkt_type: multicast }", "pkt_type");
    CHECK(unicast.matches(sample));
    frame[0] = 0x33;
    CHECK(multicast.matches(sample));
    CHECK_FALSE(unicast.matches(sample));
    std::memset(frame, 0xff, 6);
    CHECK(broadcast.matches(sample));
    CHECK_FALSE(multicast.matches(sample));
    CHECK(RuleBench("{ pkt_type: [multicast, broadcast] }", "pkt_type").print() ==
          "[broadcast, multicast]");
    CHECK(RuleBench("{ pkt_type: host }", "pkt_type").problem().starts_with("E007"));
}
