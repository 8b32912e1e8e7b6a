#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("dst looks at the destination and not at the source") {
    const RuleBench bench("{ dst: 10.0.0.2 }", "dst");
    CHECK(bench.matches(tcp("10.0.0.1", 1, "10.0.0.2", 2)));
    CHECK_FALSE(bench.matches(tcp("10.0.0.2", 1, "10.0.0.1", 2)));
}

TEST_CASE("dst declares the families of its addresses") {
    const auto families = [](const std::string& rule) {
        const RuleBench bench(rule, "dst");
        return bench.match().type->families(bench.match().arguments);
    };
    CHECK(families("{ dst: 10.0.0.2 }") == kIpv4Only);
    CHECK(families("{ dst: \"::1\" }") == kIpv6Only);
    CHECK(families("{ dst: [10.0.0.2, \"::1\"] }") == kBothFamilies);
}
