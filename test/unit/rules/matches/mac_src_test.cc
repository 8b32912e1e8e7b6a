#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("mac_src compares the source address of the frame") {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    uint8_t frame[64] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x02, 0, 0, 0, 0xab, 1};
    sample.packet.frame = frame;
    CHECK(RuleBench("{ mac_src: \"02:00:00:00:AB:01\" }", "mac_src").matches(sample));
    CHECK_FALSE(RuleBench("{ mac_src: \"52:54:00:12:34:56\" }", "mac_src").matches(sample));
    const RuleBench two("{ mac_src: [\"52:54:00:12:34:56\", \"02:00:00:00:ab:01\"] }", "mac_src");
    CHECK(two.matches(sample));
    CHECK(two.print() == "[\"52:54:00:12:34:56\", \"02:00:00:00:ab:01\"]");
}

TEST_CASE("what is no MAC address is refused") {
    for (const char* bad : {"\"52:54:00:12:34\"", "52-54-00-12-34-56", "\"52:54:00:12:34:5g\"",
                            "\"52:54:00:12:34:56:78\"", "525400123456", "\"+2:54:00:12:34:56\""}) {
        CAPTURE(bad);
        const RuleBench bench("{ mac_src: " + std::string(bad) + " }", "mac_src");
        CHECK_FALSE(bench.is_parsed());
        CHECK(bench.problem().starts_with("E008"));
    }
}
