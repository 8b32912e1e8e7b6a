#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("sport looks at the source port and not at the destination port") {
    const RuleBench bench("{ proto: udp, sport: 68 }", "sport");
    CHECK(bench.matches(packet_between("10.0.0.1", "10.0.0.2", ip_protocol::kUdp, 68, 67)));
    CHECK_FALSE(bench.matches(packet_between("10.0.0.1", "10.0.0.2", ip_protocol::kUdp, 67, 68)));
}

TEST_CASE("sport never matches the identifier of a ping") {
    const RuleBench bench("{ proto: tcp, sport: 1 }", "sport");
    CHECK_FALSE(bench.matches(icmp("10.0.0.1", "10.0.0.2", 8, 0)));
}
