#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("length is that of the IP packet") {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    sample.packet.ip_length = 1000;
    CHECK(RuleBench("{ length: 1000 }", "length").matches(sample));
    CHECK(RuleBench("{ length: [0-10, 900-1100] }", "length").matches(sample));
    CHECK_FALSE(RuleBench("{ length: 0-999 }", "length").matches(sample));
    CHECK(RuleBench("{ length: 40:60 }", "length").problem() ==
          "E005 '40:60' is not a length (0-65535) or a range like 1-4");
}
