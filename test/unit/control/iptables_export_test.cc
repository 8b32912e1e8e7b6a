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

TEST_CASE("translations are a table of their own") {
    Diagnostics diagnostics;
    const auto configuration = load_configuration(
        "test.yaml",
        "version: 1\n"
        "interfaces:\n"
        "  a: { device: \"vdev:net_null0\" }\n"
        "  b: { device: \"vdev:net_null1\" }\n"
        "chains:\n"
        "  forward: { policy: drop }\n"
        "  more: [ { dst: 192.0.2.9, netmap: 10.0.0.0/24 }, { action: return } ]\n"
        "nat:\n"
        "  prerouting:\n"
        "    - { in: a, proto: tcp, dport: 80, dnat: \"10.0.0.1:8080\" }\n"
        "    - { in: a, proto: tcp, dport: 81-90, dnat: { to: \"10.0.0.1:90-99\", shift: true } }\n"
        "    - { in: a, proto: udp, dport: 53, redirect: 5353 }\n"
        "    - { in: a, dst_type: local, jump: more }\n"
        "  postrouting:\n"
        "    - { out: b, dst: 10.0.0.0/8, no_nat: true }\n"
        "    - { out: b, proto: udp, masquerade: { ports: 40000-49999, random: fully } }\n"
        "    - { out: b, src: 10.0.0.0/8, snat: { to: 192.0.2.1-192.0.2.9, persistent: true } }\n"
        "    - { out: b, src: 10.1.0.0/16, snat: { to: 192.0.2.1, ports: 5000-5999 } }\n",
        diagnostics);
    INFO(diagnostics.to_text());
    REQUIRE(configuration);
    const std::string text =
        export_iptables(configuration->snapshot->ruleset, {}, Family::Ipv4).text;
    const size_t begin = text.find("*nat\n");
    REQUIRE(begin != text.npos);
    CHECK(text.substr(begin, text.find("COMMIT", begin) - begin) ==
          "*nat\n"
          ":PREROUTING ACCEPT [0:0]\n"
          ":INPUT ACCEPT [0:0]\n"
          ":OUTPUT ACCEPT [0:0]\n"
          ":POSTROUTING ACCEPT [0:0]\n"
          ":more - [0:0]\n"
          "-A more -d 192.0.2.9 -j NETMAP --to 10.0.0.0/24\n"
          "-A more -j RETURN\n"
          "-A PREROUTING -i a -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080\n"
          "-A PREROUTING -i a -p tcp -m tcp --dport 81:90 -j DNAT --to-destination "
          "10.0.0.1:90-99/81\n"
          "-A PREROUTING -i a -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353\n"
          "-A PREROUTING -i a -m addrtype --dst-type LOCAL -j more\n"
          "-A POSTROUTING -d 10.0.0.0/8 -o b -j ACCEPT\n"
          "-A POSTROUTING -o b -p udp -j MASQUERADE --to-ports 40000-49999 --random-fully\n"
          "-A POSTROUTING -s 10.0.0.0/8 -o b -j SNAT --to-source 192.0.2.1-192.0.2.9 "
          "--persistent\n"
          "-A POSTROUTING -s 10.1.0.0/16 -o b -p tcp -j SNAT --to-source 192.0.2.1:5000-5999\n"
          "-A POSTROUTING -s 10.1.0.0/16 -o b -p udp -j SNAT --to-source 192.0.2.1:5000-5999\n"
          "-A POSTROUTING -s 10.1.0.0/16 -o b -p sctp -j SNAT --to-source 192.0.2.1:5000-5999\n"
          "-A POSTROUTING -s 10.1.0.0/16 -o b -j SNAT --to-source 192.0.2.1\n");
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
