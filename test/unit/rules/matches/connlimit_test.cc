#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

std::string said(const std::string& value) {
    const RuleBench bench("{ connlimit: " + value + " }", "connlimit");
    return bench.is_parsed() ? bench.print() : bench.problem();
}

}  // namespace

TEST_CASE("a connlimit is printed with its key and its number") {
    CHECK(said("{ above: 64 }") == "{ per: [src], above: 64 }");
    CHECK(said("{ per: [src, dport], mask: 24, mask6: 64, above: 0, max: 9 }") ==
          "{ per: [src, dport], mask: 24, mask6: 64, above: 0, max: 9 }");
}

TEST_CASE("a bad connlimit is an error with a hint") {
    CHECK(said("64") == "E005 'connlimit' takes a mapping | connlimit: { above: 64 }");
    CHECK(said("{ per: [src] }") ==
          "E006 'connlimit' has no 'above' | above: 64 matches from the 65th flow on");
    CHECK(said("{ upto: 5 }")
              .starts_with("E002 unknown key 'upto' in 'connlimit' | write  not: { connlimit: { "
                           "above: N } }"));
    CHECK(said("{ above: -1 }").starts_with("E005 'above' is a number"));
    CHECK(said("{ above: 17000000 }").starts_with("E005"));
    CHECK(said("{ per: [dport], mask: 24, above: 1 }").starts_with("E016"));
}

TEST_CASE("a packet without a flow is not counted, and there is nothing to count it with") {
    const RuleBench bench("{ connlimit: { above: 0 } }", "connlimit");
    CHECK_FALSE(bench.matches(tcp("10.0.0.1", 4000, "10.0.0.2", 22)));
}
