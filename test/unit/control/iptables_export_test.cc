// `list --iptables`: rules of the language as rules of iptables.
#include "control/iptables_export.h"

#include <catch2/catch.hpp>

#include "config/loader.h"

using namespace rampart;

namespace {

// What the rules of a chain `forward` become, without the declarations in front.
std::string exported(const std::string& rules, Family family = Family::Ipv4) {
    Diagnostics diagnostics;
    const auto configuration =
        load_configuration("test.yaml",
                           "version: 1\n"
                           "interfaces:\n"
                           "  a: { device: \"vdev:net_null0\", bridge: b }\n"
                           "  b: { device: \"vdev:net_null1\" }\n"
                           "zones: { both: [a, b] }\n"
                           "chains:\n"
                           "  forward:\n"
                           "    policy: drop\n"
                           "    rules:\n" +
                               rules + "  web: [{ proto: tcp, dport: 80, action: accept }]\n",
                           diagnostics);
    INFO(diagnostics.to_text());
    REQUIRE(configuration);
    const std::string text = export_iptables(configuration->snapshot->ruleset, {}, family).text;
    const size_t begin = text.find(":web - [0:0]\n");
    REQUIRE(begin != text.npos);
    const std::string body = text.substr(begin + 13);
    return body.substr(0, body.find("-A web"));
}

std::string rule(const std::string& text) {
    return "      - " + text + "\n";
}

}  // namespace

TEST_CASE("a rule is exported as iptables-save would write it") {
    CHECK(exported(rule("{ in: a, proto: tcp, src: 10.0.0.0/8, dport: 22, state: new, action: "
                        "accept, comment: \"a \\\"b\\\"\" }")) ==
          "-A FORWARD -s 10.0.0.0/8 -i a -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW "
          "-m comment --comment \"a \\\"b\\\"\" -j ACCEPT\n");
    CHECK(exported(rule("{ not: { in: a, src: 10.0.0.1-10.0.0.9 }, jump: web }")) ==
          "-A FORWARD -m iprange ! --src-range 10.0.0.1-10.0.0.9 ! -i a -j web\n");
    CHECK(exported(rule("{ proto: icmp, icmp: [8, 3/4], action: drop }")) ==
          "-A FORWARD -p icmp -m icmp --icmp-type 8 -j DROP\n"
          "-A FORWARD -p icmp -m icmp --icmp-type 3/4 -j DROP\n");
}

TEST_CASE("lists become multiport, or one rule for each value") {
    CHECK(exported(rule("{ proto: [tcp, udp], dport: [53, 1000-2000], action: accept }")) ==
          "-A FORWARD -p tcp -m multiport --dports 53,1000:2000 -j ACCEPT\n"
          "-A FORWARD -p udp -m multiport --dports 53,1000:2000 -j ACCEPT\n");
    CHECK(exported(rule("{ in: both, action: accept }")) ==
          "-A FORWARD -i a -j ACCEPT\n-A FORWARD -i b -j ACCEPT\n");
}

TEST_CASE("a reject without reject_with is a reset for TCP and an error for the rest") {
    CHECK(exported(rule("{ action: reject }")) ==
          "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n"
          "-A FORWARD -j REJECT --reject-with icmp-port-unreachable\n");
    CHECK(exported(rule("{ proto: udp, action: reject }"), Family::Ipv6) ==
          "-A FORWARD -p udp -j REJECT --reject-with icmp6-port-unreachable\n");
}

TEST_CASE("rules of the other family are left out, and lists lose its addresses") {
    const std::string rules = rule("{ family: ipv6, action: drop }") +
                              rule("{ src: [10.0.0.1, \"2001:db8::1\"], action: accept }") +
                              rule("{ not: { dst: \"2001:db8::/32\" }, action: accept }");
    CHECK(exported(rules) == "-A FORWARD -s 10.0.0.1 -j ACCEPT\n");
    CHECK(exported(rules, Family::Ipv6) ==
          "-A FORWARD -j DROP\n"
          "-A FORWARD -s 2001:db8::1 -j ACCEPT\n"
          "-A FORWARD ! -d 2001:db8::/32 -j ACCEPT\n");
}

TEST_CASE("what iptables cannot say is a comment with the reason") {
    const std::string text = exported(rule("{ vlan: 7, action: accept }"));
    CHECK(text.find("# no counterpart, 'vlan' has no counterpart: { vlan: 7, action: accept }") ==
          0);
}
