#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("ttl compares numbers and ranges") {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    CHECK(RuleBench("{ ttl: 64 }", "ttl").matches(sample));
    CHECK(RuleBench("{ ttl: [1, 60-70] }", "ttl").matches(sample));
    CHECK_FALSE(RuleBench("{ ttl: 0-63 }", "ttl").matches(sample));
    CHECK_FALSE(RuleBench("{ ttl: 65-255 }", "ttl").matches(sample));
    CHECK_FALSE(RuleBench("{ ttl: 256 }", "ttl").is_parsed());
    CHECK_FALSE(RuleBench("{ ttl: \"<5\" }", "ttl").is_parsed());
}
