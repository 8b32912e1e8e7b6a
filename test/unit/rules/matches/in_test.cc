#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

Sample from(InterfaceIndex index) {
    Sample sample = tcp("10.0.0.1", 1, "10.0.0.2", 2);
    sample.in = index;
    return sample;
}

}  // namespace

TEST_CASE("in matches an interface, a zone, a glob and a list") {
    CHECK(RuleBench("{ in: lan }", "in").matches(from(0)));
    CHECK_FALSE(RuleBench("{ in: lan }", "in").matches(from(1)));
    CHECK(RuleBench("{ in: inside }", "in").matches(from(0)));
    CHECK_FALSE(RuleBench("{ in: inside }", "in").matches(from(1)));
    const RuleBench glob("{ in: \"eth*\" }", "in");
    CHECK(glob.matches(from(2)));
    CHECK(glob.matches(from(3)));
    CHECK_FALSE(glob.matches(from(0)));
    CHECK(RuleBench("{ in: [wan, eth1] }", "in").matches(from(3)));
}

TEST_CASE("in matches no packet without an incoming interface") {
    CHECK_FALSE(RuleBench("{ in: \"*\" }", "in").matches(from(kNoInterface)));
}

TEST_CASE("an unknown interface is an error with a hint") {
    CHECK(RuleBench("{ in: lam }", "in").problem() ==
          "E011 no interface or zone named 'lam' | did you mean 'lan'?");
    CHECK(RuleBench("{ in: \"x*\" }", "in").problem() ==
          "E011 no interface or zone named 'x*' | known: lan, wan, eth0, eth1, inside");
}

TEST_CASE("the loopback interface may be named, and no packet matches it") {
    const RuleBench loopback("{ in: lo }", "in");
    CHECK(loopback.is_parsed());
    CHECK(loopback.print() == "lo");
    CHECK_FALSE(loopback.matches(tcp("127.0.0.1", 1, "127.0.0.1", 2)));
}

TEST_CASE("in is printed as it was written") {
    CHECK(RuleBench("{ in: lan }", "in").print() == "lan");
    CHECK(RuleBench("{ in: [inside, \"eth*\"] }", "in").print() == "[inside, \"eth*\"]");
}
