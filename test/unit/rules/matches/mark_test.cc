#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("mark compares the packet's mark under its mask") {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    CHECK_FALSE(RuleBench("{ mark: 0x10 }", "mark").matches(sample));
    CHECK(RuleBench("{ mark: 0 }", "mark").matches(sample));
    sample.packet.mark = 0x1f;
    CHECK_FALSE(RuleBench("{ mark: 0x10 }", "mark").matches(sample));
    CHECK(RuleBench("{ mark: 0x10/0xf0 }", "mark").matches(sample));
    CHECK(RuleBench("{ mark: [1, 31] }", "mark").matches(sample));
    CHECK(RuleBench("{ mark: 0/0x20 }", "mark").matches(sample));
}

TEST_CASE("a mark is printed as it would be written") {
    CHECK(RuleBench("{ mark: 16 }", "mark").print() == "0x10");
    CHECK(RuleBench("{ mark: [0x1/0x3, 2] }", "mark").print() == "[0x1/0x3, 0x2]");
}

TEST_CASE("a mark outside its mask, too large or no number is refused") {
    for (const char* bad : {"{ mark: 0x11/0xf0 }", "{ mark: 4294967296 }", "{ mark: x }",
                            "{ mark: 1/ }", "{ mark: -1 }", "{ mark: 010 }"}) {
        CAPTURE(bad);
        const RuleBench bench(bad, "mark");
        CHECK_FALSE(bench.is_parsed());
        CHECK(bench.problem().starts_with("E005"));
    }
}
