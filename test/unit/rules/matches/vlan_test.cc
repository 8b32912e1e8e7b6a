#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("vlan compares the id of the tag without its priority") {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    sample.packet.vlan_tci = 0xa01e;  // priority 5, id 30
    CHECK(RuleBench("{ vlan: 30 }", "vlan").matches(sample));
    CHECK(RuleBench("{ vlan: [7, 20-40] }", "vlan").matches(sample));
    CHECK_FALSE(RuleBench("{ vlan: none }", "vlan").matches(sample));
    sample.packet.vlan_tci = 0;
    CHECK(RuleBench("{ vlan: none }", "vlan").matches(sample));
}

TEST_CASE("vlan refuses what is no id") {
    for (const char* bad : {"4095", "-1", "30-20", "x", "030", "{ id: 3 }"}) {
        CAPTURE(bad);
        CHECK_FALSE(RuleBench("{ vlan: " + std::string(bad) + " }", "vlan").is_parsed());
    }
}
