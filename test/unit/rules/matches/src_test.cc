#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

bool matches(const std::string& rule, const char* src) {
    const bool is_v6 = std::string_view(src).find(':') != std::string_view::npos;
    return RuleBench(rule, "src").matches(tcp(src, 1, is_v6 ? "::2" : "10.0.0.2", 2));
}

std::string problem(const std::string& rule) {
    return RuleBench(rule, "src").problem();
}

}  // namespace

TEST_CASE("src matches addresses, prefixes and ranges to their last address") {
    CHECK(matches("{ src: 10.0.0.1 }", "10.0.0.1"));
    CHECK_FALSE(matches("{ src: 10.0.0.1 }", "10.0.0.2"));
    CHECK(matches("{ src: 10.0.0.0/8 }", "10.0.0.0"));
    CHECK(matches("{ src: 10.0.0.0/8 }", "10.255.255.255"));
    CHECK_FALSE(matches("{ src: 10.0.0.0/8 }", "11.0.0.0"));
    CHECK_FALSE(matches("{ src: 10.0.0.0/8 }", "9.255.255.255"));
    CHECK(matches("{ src: 10.0.0.5-10.0.1.7 }", "10.0.1.7"));
    CHECK_FALSE(matches("{ src: 10.0.0.5-10.0.1.7 }", "10.0.1.8"));
    CHECK(matches("{ src: 0.0.0.0/0 }", "255.255.255.255"));
    CHECK(matches("{ src: \"2001:db8::/32\" }", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
    CHECK_FALSE(matches("{ src: \"2001:db8::/32\" }", "2001:db9::"));
    CHECK(matches("{ src: \"::/0\" }", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

TEST_CASE("addresses of one family never match the other") {
    CHECK_FALSE(matches("{ src: 0.0.0.0/0 }", "::1"));
    CHECK_FALSE(matches("{ src: \"::/0\" }", "10.0.0.1"));
    CHECK(matches("{ src: [10.0.0.0/8, \"2001:db8::/32\"] }", "2001:db8::1"));
}

TEST_CASE("overlapping and adjacent ranges are one") {
    const std::string rule =
        "{ src: [10.0.0.8-10.0.0.20, 10.0.0.0/29, 10.0.0.9, \"::1\", \"::\"] }";
    CHECK(matches(rule, "10.0.0.7"));
    CHECK(matches(rule, "10.0.0.8"));
    CHECK(matches(rule, "10.0.0.20"));
    CHECK_FALSE(matches(rule, "10.0.0.21"));
    CHECK(matches(rule, "::1"));
    CHECK_FALSE(matches(rule, "::3"));
}

TEST_CASE("many addresses are found among many") {
    std::string list;
    for (int i = 0; i < 256; i += 2)
        list += "10.0." + std::to_string(i) + ".0/24, ";
    const std::string rule = "{ src: [" + list + "192.0.2.1] }";
    for (int i = 0; i < 256; ++i) {
        const std::string address = "10.0." + std::to_string(i) + ".255";
        CHECK(matches(rule, address.c_str()) == (i % 2 == 0));
    }
    CHECK(matches(rule, "192.0.2.1"));
}

TEST_CASE("host bits are a warning and are cleared") {
    const RuleBench bench("{ src: 192.168.1.5/24 }", "src");
    CHECK(bench.problem() == "W101 192.168.1.5/24 has host bits set; matching 192.168.1.0/24");
    CHECK(bench.print() == "192.168.1.0/24");
}

TEST_CASE("a bad address is an error that says what to write") {
    CHECK(problem("{ src: 10.0.0.0/255.0.0.0 }") ==
          "E008 '10.0.0.0/255.0.0.0' is not an IP address | write 10.0.0.0/8");
    CHECK(problem("{ src: 10.0.0.0/33 }").find("a prefix length is 0-32") != std::string::npos);
    CHECK(problem("{ src: any }").find("leave the key out") != std::string::npos);
    CHECK(problem("{ src: \"1.1.1.1,2.2.2.2\" }").find("write a list") != std::string::npos);
    CHECK(problem("{ src: 10.0.0.9-10.0.0.1 }") ==
          "E008 the range '10.0.0.9-10.0.0.1' runs backwards | write 10.0.0.1-10.0.0.9");
    CHECK(problem("{ src: \"10.0.0.1-::1\" }").find("from one address family") !=
          std::string::npos);
    CHECK(problem("{ src: [fe80::, \"::1\"] }").find("needs quotes") != std::string::npos);
    CHECK(problem("{ src: \"@bogons\" }").substr(0, 4) == "E012");
    CHECK(problem("{ src: \"2001:db8::/ffff:ffff::\" }") ==
          "E008 '2001:db8::/ffff:ffff::' is not an IP address | write 2001:db8::/32");
    CHECK(problem("{ src: \"::10/0.0.0.255\" }").substr(0, 4) == "E008");
    CHECK(problem("{ src: \"::1:10/::ffff\" }") ==
          "W101 ::1:10/::ffff has host bits set; matching ::10/::ffff");
    CHECK(problem("{ src: [[10.0.0.1]] }").substr(0, 4) == "E005");
    CHECK(problem("{ src: }").substr(0, 4) == "E005");
}

TEST_CASE("an IPv6 address with a mask is matched by the bits of the mask") {
    RuleBench host("{ src: [\"::10/::ffff:ffff:ffff:ffff\", \"2001:db8:9::/48\"] }", "src");
    CHECK(host.matches(packet_between("2001:db8:1::10", "::1", 6)));
    CHECK(host.matches(packet_between("fd00::10", "::1", 6)));
    CHECK_FALSE(host.matches(packet_between("fd00::11", "::1", 6)));
    CHECK_FALSE(host.matches(packet_between("fd00::1:0:10", "::1", 6)));
    CHECK(host.matches(packet_between("2001:db8:9::77", "::1", 6)));
    CHECK_FALSE(host.matches(packet_between("0.0.0.16", "10.0.0.1", 6)));
    CHECK(host.print() == "[\"2001:db8:9::/48\", \"::10/::ffff:ffff:ffff:ffff\"]");
}

TEST_CASE("addresses are printed in the order of the file, IPv6 in quotes") {
    CHECK(
        RuleBench("{ src: [\"2001:DB8::/32\", 10.0.0.1/32, 10.0.0.2-10.0.0.9] }", "src").print() ==
        "[\"2001:db8::/32\", 10.0.0.1, 10.0.0.2-10.0.0.9]");
}
