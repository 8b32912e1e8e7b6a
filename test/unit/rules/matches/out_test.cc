#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

Sample towards(InterfaceIndex index) {
    Sample sample = tcp("10.0.0.1", 1, "10.0.0.2", 2);
    sample.out = index;
    return sample;
}

}  // namespace

TEST_CASE("out matches an interface, a zone, a glob and a list") {
    CHECK(RuleBench("{ out: lan }", "out").matches(towards(0)));
    CHECK_FALSE(RuleBench("{ out: lan }", "out").matches(towards(1)));
    CHECK(RuleBench("{ out: inside }", "out").matches(towards(0)));
    CHECK_FALSE(RuleBench("{ out: inside }", "out").matches(towards(1)));
    const RuleBench glob("{ out: \"eth*\" }", "out");
    CHECK(glob.matches(towards(2)));
    CHECK(glob.matches(towards(3)));
    CHECK_FALSE(glob.matches(towards(0)));
    CHECK(RuleBench("{ out: [wan, eth1] }", "out").matches(towards(3)));
}

TEST_CASE("out matches no packet without an outgoing interface") {
    CHECK_FALSE(RuleBench("{ out: \"*\" }", "out").matches(towards(kNoInterface)));
}

TEST_CASE("an unknown outgoing interface is an error with a hint") {
    CHECK(RuleBench("{ out: lam }", "out").problem() ==
          "E011 no interface or zone named 'lam' | did you mean 'lan'?");
    CHECK(RuleBench("{ out: \"x*\" }", "out").problem() ==
          "E011 no interface or zone named 'x*' | known: lan, wan, eth0, eth1, inside");
}

TEST_CASE("the loopback interface may be named as destination, and no packet matches it") {
    const RuleBench loopback("{ out: lo }", "out");
    CHECK(loopback.is_parsed());
    CHECK(loopback.print() == "lo");
    CHECK_FALSE(loopback.matches(tcp("127.0.0.1", 1, "127.0.0.1", 2)));
}

TEST_CASE("out is printed as it was written") {
    CHECK(RuleBench("{ out: lan }", "out").print() == "lan");
    CHECK(RuleBench("{ out: [inside, \"eth*\"] }", "out").print() == "[inside, \"eth*\"]");
}
