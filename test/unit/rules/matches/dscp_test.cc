#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("dscp reads the TOS byte of IPv4 and the traffic class of IPv6") {
    uint8_t frame[64] = {};
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    sample.packet.frame = frame;
    sample.packet.l3_offset = 14;
    const RuleBench ef("{ dscp: ef }", "dscp");
    CHECK_FALSE(ef.matches(sample));
    frame[14] = 0x45;
    frame[15] = 46 << 2 | 3;  // with ECN
    CHECK(ef.matches(sample));
    CHECK(RuleBench("{ dscp: 40-50 }", "dscp").matches(sample));
    sample.packet.family = Family::Ipv6;
    frame[14] = 0x6b;  // 46 is 101110: the upper four bits here, two in the next byte
    frame[15] = 0x80;
    CHECK(ef.matches(sample));
}

TEST_CASE("dscp knows the registered names and suggests them") {
    CHECK(RuleBench("{ dscp: [cs1, af21, 3] }", "dscp").print() == "[cs1, af21, 3]");
    CHECK(RuleBench("{ dscp: EF }", "dscp").problem() ==
          "E005 'EF' is not a DSCP (0-63) or a range like 1-4 | did you mean 'ef'?");
    CHECK_FALSE(RuleBench("{ dscp: 64 }", "dscp").is_parsed());
}
