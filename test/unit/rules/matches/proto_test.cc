#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("proto matches names, numbers and lists") {
    const Sample sample = tcp("10.0.0.1", 1, "10.0.0.2", 2);
    CHECK(RuleBench("{ proto: tcp }", "proto").matches(sample));
    CHECK(RuleBench("{ proto: 6 }", "proto").matches(sample));
    CHECK(RuleBench("{ proto: [udp, tcp] }", "proto").matches(sample));
    CHECK_FALSE(RuleBench("{ proto: udp }", "proto").matches(sample));
    CHECK(RuleBench("{ proto: 0 }", "proto").matches(packet_between("::1", "::2", 0)));
    CHECK(RuleBench("{ proto: 255 }", "proto").matches(packet_between("::1", "::2", 255)));
}

TEST_CASE("an unknown protocol is an error with a hint") {
    CHECK(RuleBench("{ proto: tpc }", "proto").problem() ==
          "E007 unknown protocol 'tpc' | did you mean 'tcp'?");
    CHECK(RuleBench("{ proto: TCP }", "proto").problem() ==
          "E007 unknown protocol 'TCP' | did you mean 'tcp'?");
    CHECK(RuleBench("{ proto: ipv6-icmp }", "proto").problem() ==
          "E007 unknown protocol 'ipv6-icmp' | did you mean 'icmpv6'?");
    CHECK_FALSE(RuleBench("{ proto: 256 }", "proto").is_parsed());
    CHECK_FALSE(RuleBench("{ proto: 06 }", "proto").is_parsed());
    CHECK_FALSE(RuleBench("{ proto: [] }", "proto").is_parsed());
}

TEST_CASE("proto is printed by name where there is one") {
    CHECK(RuleBench("{ proto: [6, 17, 253] }", "proto").print() == "[tcp, udp, 253]");
}
