#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

bool matches(const std::string& value, uint8_t type, uint8_t code) {
    return RuleBench("{ proto: icmp, icmp: " + value + " }", "icmp")
        .matches(icmp("10.0.0.1", "10.0.0.2", type, code));
}

}  // namespace

TEST_CASE("icmp matches names, numbers and type/code") {
    CHECK(matches("echo-request", 8, 0));
    CHECK(matches("echo-request", 8, 7));
    CHECK_FALSE(matches("echo-request", 0, 0));
    CHECK(matches("port-unreachable", 3, 3));
    CHECK_FALSE(matches("port-unreachable", 3, 1));
    CHECK(matches("destination-unreachable", 3, 13));
    CHECK(matches("8", 8, 0));
    CHECK(matches("3/4", 3, 4));
    CHECK_FALSE(matches("3/4", 3, 3));
    CHECK(matches("[echo-reply, 11]", 11, 1));
}

TEST_CASE("icmp matches protocol 1 only") {
    const RuleBench bench("{ proto: icmp, icmp: 8 }", "icmp");
    CHECK_FALSE(bench.matches(icmp("2001:db8::1", "2001:db8::2", 8, 0)));
    CHECK_FALSE(bench.matches(tcp("10.0.0.1", 1, "10.0.0.2", 8 << 8)));
}

TEST_CASE("icmp needs proto icmp in its rule") {
    CHECK(RuleBench("{ icmp: 8 }", "icmp").problem() ==
          "E015 'icmp' needs 'proto: icmp' in the same rule");
    CHECK(RuleBench("{ proto: icmpv6, icmp: 8 }", "icmp").problem() ==
          "E015 'icmp' needs 'proto: icmp' in the same rule");
}

TEST_CASE("an unknown message is an error with a hint") {
    const auto problem = [](const std::string& value) {
        return RuleBench("{ proto: icmp, icmp: " + value + " }", "icmp").problem();
    };
    CHECK(problem("echo-requst") ==
          "E007 unknown icmp type 'echo-requst' | did you mean "
          "'echo-request'?");
    CHECK(problem("ping").find("echo-request") != std::string::npos);
    CHECK(problem("256").substr(0, 4) == "E007");
    CHECK(problem("3/256").substr(0, 4) == "E007");
    CHECK(problem("3/").substr(0, 4) == "E007");
}

TEST_CASE("icmp is printed as it was written") {
    CHECK(RuleBench("{ proto: icmp, icmp: [echo-request, 3/4] }", "icmp").print() ==
          "[echo-request, 3/4]");
}
