// The targets that translate addresses: what they compile to, how they print, what they refuse.
#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

NatAction action_of(const std::string& rule) {
    const TargetBench bench(rule);
    CAPTURE(rule);
    CHECK(problem_of(bench.diagnostics).empty());
    REQUIRE(bench.is_good);
    REQUIRE(bench.decision.step == Step::Translate);
    REQUIRE(bench.decision.nat != nullptr);
    return *bench.decision.nat;
}

std::string printed(const std::string& rule) {
    return TargetBench(rule).printed;
}

std::string problem(const std::string& rule) {
    const TargetBench bench(rule);
    CHECK_FALSE(bench.is_good);
    return problem_of(bench.diagnostics);
}

AddressBytes bytes(const char* address) {
    return IpAddress::parse(address)->bytes;
}

}  // namespace

TEST_CASE("dnat takes an address, a range, and ports") {
    const NatAction one = action_of("{ dnat: 192.0.2.1 }");
    CHECK(one.kind == NatKind::Dnat);
    CHECK(one.family == Family::Ipv4);
    CHECK(one.first == bytes("192.0.2.1"));
    CHECK(one.last == one.first);
    CHECK_FALSE(one.has_ports);
    CHECK_FALSE(one.is_hairpin);

    const NatAction port = action_of("{ proto: tcp, dnat: \"192.0.2.1:80\" }");
    CHECK(port.has_ports);
    CHECK(port.first_port == 80);
    CHECK(port.last_port == 80);

    const NatAction range = action_of("{ proto: tcp, dnat: \"192.0.2.1-192.0.2.9:8000-8009\" }");
    CHECK(range.last == bytes("192.0.2.9"));
    CHECK(range.first_port == 8000);
    CHECK(range.last_port == 8009);
    CHECK(range.base_port == 0);

    const NatAction v6 = action_of("{ proto: tcp, dnat: \"[2001:db8::1]:80\" }");
    CHECK(v6.family == Family::Ipv6);
    CHECK(v6.first == bytes("2001:db8::1"));
    CHECK(v6.first_port == 80);
    CHECK(action_of("{ dnat: \"2001:db8::1-2001:db8::9\" }").last == bytes("2001:db8::9"));
    CHECK(action_of("{ dnat: \"[2001:db8::1]\" }").first == bytes("2001:db8::1"));
}

TEST_CASE("dnat's options stand in a mapping") {
    const NatAction action =
        action_of("{ dnat: { to: 192.0.2.1-192.0.2.9, random: fully, persistent: true } }");
    CHECK(action.is_random);
    CHECK(action.is_persistent);
    CHECK(action_of("{ dnat: 192.0.2.1, hairpin: true }").is_hairpin);
    const NatAction shifted = action_of(
        "{ proto: tcp, dport: 8000-8009, dnat: { to: \"192.0.2.1:9000-9009\", shift: true } }");
    CHECK(shifted.base_port == 8000);
    CHECK(problem("{ proto: tcp, dport: 80-89, dnat: { to: \"192.0.2.1:90-98\", shift: true } }")
              .starts_with("E016"));
    CHECK(problem("{ proto: tcp, dnat: { to: \"192.0.2.1:90-98\", shift: true } }")
              .starts_with("E016"));
}

TEST_CASE("snat takes a pool of addresses and ports") {
    const NatAction action = action_of(
        "{ snat: { to: 192.0.2.1-192.0.2.9, ports: 1024-65535, random: yes, persistent: true } }");
    CHECK(action.kind == NatKind::Snat);
    CHECK(action.has_ports);
    CHECK(action.first_port == 1024);
    CHECK(action.last_port == 65535);
    CHECK(action.is_random);
    CHECK(action.is_persistent);
    CHECK(action_of("{ proto: udp, snat: \"192.0.2.1:5000\" }").first_port == 5000);
    CHECK(problem("{ snat: { to: 192.0.2.1, blocks: { size: 512 } } }") ==
          "E030 'blocks' is not built yet in this release");
    CHECK(problem("{ snat: { to: 192.0.2.1, log: blocks } }").starts_with("E030"));
}

TEST_CASE("masquerade and redirect have no address") {
    const NatAction all = action_of("{ out: wan, masquerade: true }");
    CHECK(all.kind == NatKind::Masquerade);
    CHECK(all.family == Family::None);
    CHECK_FALSE(all.has_ports);
    const NatAction pool =
        action_of("{ out: wan, masquerade: { ports: 40000-49999, random: fully } }");
    CHECK(pool.first_port == 40000);
    CHECK(pool.last_port == 49999);
    CHECK(pool.is_random);
    const NatAction redirect = action_of("{ proto: tcp, dport: 80, redirect: 8080 }");
    CHECK(redirect.kind == NatKind::Redirect);
    CHECK(redirect.first_port == 8080);
    CHECK_FALSE(action_of("{ redirect: true }").has_ports);
    CHECK(problem("{ out: wan, masquerade: 8080 }").starts_with("E005"));
    CHECK(problem("{ out: wan, masquerade: false }").starts_with("E005"));
}

TEST_CASE("a masquerade for everybody everywhere is warned of") {
    CHECK(problem_of(TargetBench("{ masquerade: true }").diagnostics).starts_with("W110"));
    CHECK(problem_of(TargetBench("{ src: 10.0.0.0/8, masquerade: true }").diagnostics).empty());
}

TEST_CASE("netmap takes a prefix, no_nat nothing") {
    const NatAction map = action_of("{ netmap: 10.0.0.0/24 }");
    CHECK(map.kind == NatKind::Netmap);
    CHECK(map.first == bytes("10.0.0.0"));
    CHECK(map.last == bytes("10.0.0.255"));
    CHECK(action_of("{ netmap: { to: \"2001:db8::/48\", checksum_neutral: true } }")
              .is_checksum_neutral);
    CHECK(problem("{ netmap: { to: 10.0.0.0/24, checksum_neutral: true } }").starts_with("E018"));
    CHECK(problem("{ netmap: 10.0.0.1-10.0.0.9 }").starts_with("E008"));
    CHECK(action_of("{ no_nat: true }").kind == NatKind::None);
    CHECK(problem("{ no_nat: { to: 10.0.0.1 } }").starts_with("E005"));
    CHECK(problem_of(TargetBench("{ netmap: 10.0.0.1/24 }").diagnostics).starts_with("W101"));
}

TEST_CASE("what is printed parses to the same action") {
    const std::pair<const char*, const char*> kForms[] = {
        {"{ dnat: 192.0.2.1 }", "dnat: 192.0.2.1"},
        {"{ proto: tcp, dnat: \"192.0.2.1:80\" }", "dnat: \"192.0.2.1:80\""},
        {"{ proto: tcp, dnat: \"[2001:db8::1]-[2001:db8::9]:80-89\" }",
         "dnat: \"[2001:db8::1-2001:db8::9]:80-89\""},
        {"{ dnat: { to: 192.0.2.1, random: true } }", "dnat: { to: 192.0.2.1, random: fully }"},
        {"{ dnat: 192.0.2.1, hairpin: true }", "dnat: 192.0.2.1, hairpin: true"},
        {"{ proto: tcp, dport: 8000-8009, dnat: { to: \"192.0.2.1:9000-9009\", shift: true } }",
         "dnat: { to: \"192.0.2.1:9000-9009\", shift: true }"},
        {"{ proto: tcp, redirect: 8080 }", "redirect: 8080"},
        {"{ proto: tcp, redirect: { ports: 80-89, random: yes } }",
         "redirect: { ports: 80-89, random: fully }"},
        {"{ redirect: true }", "redirect: true"},
        {"{ snat: 192.0.2.1-192.0.2.9 }", "snat: 192.0.2.1-192.0.2.9"},
        {"{ proto: tcp, snat: \"192.0.2.1:80\" }", "snat: { to: 192.0.2.1, ports: 80 }"},
        {"{ out: wan, masquerade: true }", "masquerade: true"},
        {"{ out: wan, masquerade: { ports: 80-89 } }", "masquerade: { ports: 80-89 }"},
        {"{ netmap: 10.0.0.0/24 }", "netmap: 10.0.0.0/24"},
        {"{ netmap: { to: \"2001:db8::/48\", checksum_neutral: true } }",
         "netmap: { to: \"2001:db8::/48\", checksum_neutral: true }"},
        {"{ no_nat: true }", "no_nat: true"},
    };
    for (const auto& [rule, expected] : kForms) {
        CHECK(printed(rule) == expected);
        const std::string again =
            "{ proto: tcp, dport: 8000-8009, out: wan, " + std::string(expected) + " }";
        CHECK(action_of(again) == action_of(rule));
    }
}

TEST_CASE("listings use the words of iptables for translations, too") {
    CHECK(TargetBench("{ proto: tcp, dnat: \"192.0.2.1:80\" }").short_form ==
          "DNAT to:192.0.2.1:80");
    CHECK(TargetBench("{ out: wan, masquerade: { ports: 80-89 } }").short_form ==
          "MASQUERADE masq ports: 80-89");
    CHECK(TargetBench("{ proto: tcp, redirect: 80 }").short_form == "REDIRECT redir ports 80");
    CHECK(TargetBench("{ snat: 192.0.2.1 }").short_form == "SNAT to:192.0.2.1");
    CHECK(TargetBench("{ netmap: 10.0.0.0/24 }").short_form == "NETMAP to:10.0.0.0/24");
}

TEST_CASE("bad translations say what is wrong") {
    CHECK(problem("{ dnat: \":80\" }") ==
          "E008 there is no address before the port | to change the port only, write  redirect: "
          "80");
    CHECK(problem("{ dnat: 192.0.2.300 }").starts_with("E008"));
    CHECK(problem("{ dnat: 192.0.2.9-192.0.2.1 }").starts_with("E008"));
    CHECK(problem("{ dnat: \"192.0.2.1-2001:db8::1\" }").starts_with("E008"));
    CHECK(problem("{ dnat: 192.0.2.0/24 }").starts_with("E008"));
    CHECK(problem("{ proto: tcp, dnat: \"192.0.2.1:70000\" }").starts_with("E009"));
    CHECK(problem("{ proto: tcp, dnat: \"192.0.2.1:0\" }").starts_with("E009"));
    CHECK(problem("{ dnat: \"192.0.2.1:80\" }").starts_with("E015"));
    CHECK(problem("{ proto: icmp, dnat: \"192.0.2.1:80\" }").starts_with("E015"));
    CHECK(problem("{ proto: icmp, snat: { to: 192.0.2.1, ports: 80 } }").starts_with("E015"));
    CHECK(problem("{ redirect: 80 }").starts_with("E015"));
    CHECK(problem("{ dnat: { random: fully } }").starts_with("E006"));
    CHECK(problem("{ dnat: { to: 192.0.2.1, randon: fully } }") ==
          "E002 unknown key 'randon' of 'dnat' | did you mean 'random'?");
    CHECK(problem("{ dnat: { to: 192.0.2.1, random: often } }").starts_with("E005"));
    CHECK(problem("{ dnat: [192.0.2.1] }").starts_with("E005"));
    CHECK(problem("{ in: \"@x\", dnat: 192.0.2.1, hairpin: true }").starts_with("E016"));
}

TEST_CASE("decisions are equal when their translations are") {
    CHECK(TargetBench("{ dnat: 192.0.2.1 }").decision ==
          TargetBench("{ dnat: 192.0.2.1 }").decision);
    CHECK_FALSE(TargetBench("{ dnat: 192.0.2.1 }").decision ==
                TargetBench("{ dnat: 192.0.2.2 }").decision);
    CHECK_FALSE(TargetBench("{ dnat: 192.0.2.1 }").decision ==
                TargetBench("{ action: accept }").decision);
}
