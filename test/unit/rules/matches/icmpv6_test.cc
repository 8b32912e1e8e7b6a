#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("icmpv6 has its own names and numbers") {
    const RuleBench bench("{ proto: icmpv6, icmpv6: [echo-request, packet-too-big, 1/4] }",
                          "icmpv6");
    CHECK(bench.matches(icmp("2001:db8::1", "2001:db8::2", 128, 0)));
    CHECK(bench.matches(icmp("2001:db8::1", "2001:db8::2", 2, 0)));
    CHECK(bench.matches(icmp("2001:db8::1", "2001:db8::2", 1, 4)));
    CHECK_FALSE(bench.matches(icmp("2001:db8::1", "2001:db8::2", 1, 3)));
    CHECK_FALSE(bench.matches(icmp("10.0.0.1", "10.0.0.2", 2, 0)));
}

TEST_CASE("neighbour-discovery is believed only from the same link") {
    const RuleBench bench("{ proto: icmpv6, icmpv6: neighbour-discovery }", "icmpv6");
    for (uint8_t type = 130; type < 140; ++type) {
        Sample sample = icmp("fe80::1", "ff02::1", type, 0);
        CHECK_FALSE(bench.matches(sample));
        sample.packet.hop_limit = 255;
        CHECK(bench.matches(sample) == (type >= 133 && type <= 136));
    }
}

TEST_CASE("icmpv6 needs proto icmpv6 in its rule") {
    CHECK(RuleBench("{ proto: icmp, icmpv6: 128 }", "icmpv6").problem() ==
          "E015 'icmpv6' needs 'proto: icmpv6' in the same rule");
}

TEST_CASE("the American spelling gets a hint") {
    CHECK(RuleBench("{ proto: icmpv6, icmpv6: neighbor-solicitation }", "icmpv6").problem() ==
          "E007 unknown icmpv6 type 'neighbor-solicitation' | did you mean "
          "'neighbour-solicitation'?");
}
