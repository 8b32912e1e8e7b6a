#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

std::string problem(const std::string& rule) {
    return RuleBench(rule, "dport").problem();
}

}  // namespace

TEST_CASE("dport matches ports, ranges and lists to both ends") {
    const RuleBench bench("{ proto: tcp, dport: [443, 8000-8999, 80, 81] }", "dport");
    const auto matches = [&bench](uint16_t port) {
        return bench.matches(tcp("10.0.0.1", 1, "10.0.0.2", port));
    };
    for (const uint16_t port : std::vector<uint16_t>{80, 81, 443, 8000, 8500, 8999})
        CHECK(matches(port));
    for (const uint16_t port : std::vector<uint16_t>{0, 79, 82, 442, 444, 7999, 9000, 65535})
        CHECK_FALSE(matches(port));
}

TEST_CASE("dport looks at the destination port and not at the source port") {
    const RuleBench bench("{ proto: tcp, dport: 22 }", "dport");
    CHECK_FALSE(bench.matches(tcp("10.0.0.1", 22, "10.0.0.2", 23)));
}

TEST_CASE("dport never matches a protocol without ports") {
    // An ICMP packet keeps its type and code where the destination port stands.
    const RuleBench bench("{ proto: udp, dport: 2048 }", "dport");
    CHECK(bench.matches(packet_between("10.0.0.1", "10.0.0.2", ip_protocol::kUdp, 1, 2048)));
    CHECK_FALSE(bench.matches(icmp("10.0.0.1", "10.0.0.2", 8, 0)));
    CHECK_FALSE(bench.matches(packet_between("10.0.0.1", "10.0.0.2", ip_protocol::kGre, 1, 2048)));
}

TEST_CASE("dport needs a protocol with ports") {
    const std::string text = "E015 'dport' needs 'proto: tcp', 'udp' or 'sctp' in the same rule";
    CHECK(problem("{ dport: 80 }") == text);
    CHECK(problem("{ proto: icmp, dport: 80 }") == text);
    CHECK(problem("{ proto: [tcp, icmp], dport: 80 }") == text);
    CHECK(problem("{ proto: [tcp, udp, sctp, udplite], dport: 80 }").empty());
    // The protocol itself is wrong: that is reported once.
    CHECK(problem("{ proto: tpc, dport: 80 }").empty());
}

TEST_CASE("a bad port is an error that says what to write") {
    CHECK(problem("{ proto: tcp, dport: 022 }") == "E009 port '022' has a leading zero | write 22");
    CHECK(problem("{ proto: tcp, dport: 70000 }") ==
          "E009 '70000' is not a port (0-65535) or a range like 8000-8999");
    CHECK(problem("{ proto: tcp, dport: ssh }").find("write the number 22") != std::string::npos);
    CHECK(problem("{ proto: tcp, dport: \"80:90\" }").find("80-90") != std::string::npos);
    CHECK(problem("{ proto: tcp, dport: \"80,90\" }").find("write a list") != std::string::npos);
    CHECK(problem("{ proto: tcp, dport: 0x16 }").substr(0, 4) == "E009");
    CHECK(problem("{ proto: tcp, dport: 90-80 }").substr(0, 4) == "E009");
    CHECK(problem("{ proto: tcp, dport: \"@web\" }").substr(0, 4) == "E012");
}

TEST_CASE("ports are printed in the order of the file") {
    CHECK(RuleBench("{ proto: tcp, dport: [443, 80-81, 22] }", "dport").print() ==
          "[443, 80-81, 22]");
}
