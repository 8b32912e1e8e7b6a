#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("family tells IPv4 from IPv6") {
    const Sample v4 = tcp("10.0.0.1", 1, "10.0.0.2", 2);
    const Sample v6 = tcp("2001:db8::1", 1, "2001:db8::2", 2);
    CHECK(RuleBench("{ family: ipv4 }", "family").matches(v4));
    CHECK_FALSE(RuleBench("{ family: ipv4 }", "family").matches(v6));
    CHECK(RuleBench("{ family: ipv6 }", "family").matches(v6));
    CHECK(RuleBench("{ family: [ipv4, ipv6] }", "family").matches(v6));
}

TEST_CASE("an unknown family is an error") {
    CHECK(RuleBench("{ family: ip4 }", "family").problem() ==
          "E007 unknown family 'ip4' | did you mean 'ipv4'?");
}

TEST_CASE("family is printed and declares what it can hold for") {
    const RuleBench bench("{ family: ipv6 }", "family");
    CHECK(bench.print() == "ipv6");
    CHECK(bench.match().type->families(bench.match().arguments) == kIpv6Only);
}
