// What changed between two configurations, and which of it needs a restart.
#include "control/config_diff.h"

#include <catch2/catch.hpp>

#include "control/own_connection.h"

using namespace rampart;

namespace {

Configuration load(const std::string& rules, const std::string& more = "") {
    const std::string text =
        "version: 1\n"
        "interfaces:\n"
        "  a: { device: \"vdev:net_null0\", bridge: b }\n"
        "  b: { device: \"vdev:net_null1\" }\n" +
        more + "chains:\n  forward:\n    policy: drop\n    rules:\n" + rules;
    Diagnostics diagnostics;
    auto configuration = load_configuration("test.yaml", text, diagnostics);
    INFO(diagnostics.to_text());
    REQUIRE(configuration);
    return std::move(*configuration);
}

constexpr const char* kWeb = "      - { id: web, proto: tcp, dport: 80, action: accept }\n";
constexpr const char* kDns = "      - { id: dns, proto: udp, dport: 53, action: accept }\n";
constexpr const char* kNtp = "      - { id: ntp, proto: udp, dport: 123, action: accept }\n";
const std::string kThree = std::string(kWeb) + kDns + kNtp;

std::string diff(const Configuration& before, const Configuration& after) {
    return to_text(compare(before, after));
}

}  // namespace

TEST_CASE("a configuration does not differ from itself, however it is written") {
    CHECK(diff(load(kThree), load(kThree)).empty());
    CHECK(diff(load(kWeb), load("      - id: web\n        action: accept\n        dport: 80\n"
                                "        proto: tcp\n"))
              .empty());
    CHECK(diff(load(kWeb), load(kWeb, "conntrack: { max: 262144 }\nreload: { counters: keep }\n"))
              .empty());
}

TEST_CASE("rules are told apart by their id: added, removed, changed") {
    CHECK(diff(load(std::string(kWeb) + kNtp), load(kThree)) ==
          "live     + chains.forward rule dns: at 2: proto: udp, dport: 53, action: accept\n");
    CHECK(diff(load(kThree), load(std::string(kWeb) + kNtp)) ==
          "live     - chains.forward rule dns: proto: udp, dport: 53, action: accept\n");
    CHECK(
        diff(load(kWeb), load("      - { id: web, proto: tcp, dport: 443, action: accept }\n")) ==
        "live     ~ chains.forward rule web: proto: tcp, dport: 80, action: accept -> proto: tcp, "
        "dport: 443, action: accept\n");
}

TEST_CASE("a rule that only changed its place is moved, and as few as can be") {
    CHECK(diff(load(kThree), load(std::string(kNtp) + kWeb + kDns)) ==
          "live     > chains.forward rule ntp: at 3 -> at 1\n");
    CHECK(diff(load(kThree), load(std::string(kDns) + kNtp + kWeb)) ==
          "live     > chains.forward rule web: at 1 -> at 3\n");
    const auto all_turned = compare(load(kThree), load(std::string(kNtp) + kDns + kWeb));
    CHECK(all_turned.size() == 2);
}

TEST_CASE("settings are told by their path, and what needs a restart is marked") {
    const Configuration plain = load(kWeb);
    CHECK(diff(plain, load(kWeb, "conntrack: { max: 5000, timeouts: { udp: 60s } }\n")) ==
          "restart  ~ conntrack.max: 262144 -> 5000\n"
          "live     ~ conntrack.timeouts.udp: 30s -> 60s\n");
    CHECK(diff(plain, load(kWeb, "cores: { workers: 2 }\n")).starts_with("restart "));
    CHECK(diff(plain, load(kWeb, "conntrack: { index: rte_hash }\n")) ==
          "restart  ~ conntrack.index: buckets -> rte_hash\n");
    CHECK(diff(plain, load(kWeb, "conntrack: { counters: false }\n")) ==
          "restart  ~ conntrack.counters: true -> false\n");
    CHECK(diff(plain, load(kWeb, "conntrack: { ipv6: false }\n")) ==
          "restart  ~ conntrack.ipv6: true -> false\n");
    CHECK(diff(load(kWeb, "reload: { established: recheck }\n"), plain) ==
          "live     ~ reload.established: recheck -> keep\n");
    const Json json = to_json(compare(plain, load(kWeb, "conntrack: { max: 5000 }\n")));
    CHECK(json[0]["effect"] == "restart");
    CHECK(json[0]["path"] == "conntrack.max");
    CHECK(json[0]["after"] == "5000");
}

TEST_CASE("chains and policies that come, go and change") {
    const auto with_chains = [](const std::string& chains) {
        Diagnostics diagnostics;
        auto configuration = load_configuration(
            "test.yaml",
            "version: 1\ninterfaces: { a: { device: \"vdev:net_null0\", bridge: b }, "
            "b: { device: \"vdev:net_null1\" } }\nchains:\n" +
                chains,
            diagnostics);
        INFO(diagnostics.to_text());
        REQUIRE(configuration);
        return std::move(*configuration);
    };
    const std::string jump = ", rules: [{ id: j, jump: web }] }\n";
    const Configuration one = with_chains("  forward: { policy: drop }\n");
    const Configuration two =
        with_chains("  forward: { policy: accept" + jump +
                    "  web: { rules: [{ id: w, proto: tcp, action: drop }] }\n");
    CHECK(diff(one, two) ==
          "live     ~ chains.forward.policy: drop -> accept\n"
          "live     + chains.forward rule j: at 1: jump: web\n"
          "live     + chains.web: a chain\n"
          "live     + chains.web rule w: at 1: proto: tcp, action: drop\n");
    CHECK(diff(two, one) ==
          "live     ~ chains.forward.policy: accept -> drop\n"
          "live     - chains.forward rule j: jump: web\n"
          "live     - chains.web: a chain\n"
          "live     - chains.web rule w: proto: tcp, action: drop\n");
}

TEST_CASE("SSH_CONNECTION is read as sshd writes it, and nothing else") {
    const auto tuple = parse_ssh_connection("10.0.0.5 51234 192.0.2.1 22");
    REQUIRE(tuple);
    CHECK(tuple->src_address().to_string() == "10.0.0.5");
    CHECK(tuple->dst_port.host() == 22);
    CHECK(parse_ssh_connection("2001:db8::1 51234 2001:db8::2 22"));
    for (const char* text : {"", "10.0.0.5", "10.0.0.5 x 192.0.2.1 22", "10.0.0.5 1 2001:db8::1 2",
                             "10.0.0.5 70000 192.0.2.1 22", "host 1 192.0.2.1 22"})
        CHECK_FALSE(parse_ssh_connection(text));
}

TEST_CASE("translations are compared like other rules, without the name of a chain of filters") {
    const auto with = [](const std::string& nat) {
        Diagnostics diagnostics;
        auto configuration = load_configuration("test.yaml",
                                                "version: 1\n"
                                                "interfaces:\n"
                                                "  a: { device: \"vdev:net_null0\" }\n"
                                                "chains:\n  forward: { policy: drop }\n" +
                                                    nat,
                                                diagnostics);
        INFO(diagnostics.to_text());
        REQUIRE(configuration);
        return std::move(*configuration);
    };
    const Configuration before =
        with("nat: { prerouting: [{ id: web, in: a, dnat: 10.0.0.1 }], postrouting: [] }\n");
    const Configuration after = with(
        "nat: { prerouting: [{ id: web, in: a, dnat: 10.0.0.2 }], postrouting: [{ id: out, out: a, "
        "masquerade: true }] }\n");
    CHECK(diff(before, after) ==
          "live     ~ nat.prerouting rule web: in: a, family: ipv4, dnat: 10.0.0.1 -> in: a, "
          "family: ipv4, dnat: 10.0.0.2\n"
          "live     + nat.postrouting rule out: at 1: out: a, masquerade: true\n");
    CHECK(diff(before, before).empty());
}

TEST_CASE("through a routed port the caller's connection ends at the box") {
    FlowEntry flow;
    flow.original = *parse_ssh_connection("10.0.0.5 51234 192.0.2.1 22");
    flow.reply = invert(flow.original);
    flow.in = 0;
    const auto danger = [&](const std::string& chains) {
        Diagnostics diagnostics;
        const auto configuration = load_configuration(
            "test.yaml",
            "version: 1\ninterfaces: { a: { device: \"vdev:net_null0\" } }\nchains:\n"
            "  forward: { policy: drop }\n" +
                chains,
            diagnostics);
        INFO(diagnostics.to_text());
        REQUIRE(configuration);
        return describe_danger(configuration->snapshot->ruleset, false, flow);
    };
    CHECK(danger("").empty());
    CHECK(danger("  input: { policy: accept }\n").empty());
    CHECK(danger("  input: { policy: drop }\n") == "the policy of input would cut it");
    const std::string input =
        "  input: { policy: drop, rules: [ { id: ssh, in: a, proto: tcp, dport: 22, action: accept "
        "} ] }\n";
    CHECK(danger(input).empty());
    CHECK(danger(input + "  output: { policy: drop }\n") == "the policy of output would cut it");
}

TEST_CASE("a connection is in danger when it would be cut, or could not begin again") {
    FlowEntry flow;
    flow.original = *parse_ssh_connection("10.0.0.5 51234 192.0.2.1 22");
    flow.reply = invert(flow.original);
    flow.in = 0;
    const std::string established = "      - { id: est, state: established, action: accept }\n";
    const auto danger = [&](const std::string& rules, bool is_rechecked = false) {
        const Configuration configuration = load(rules);
        return describe_danger(configuration.snapshot->ruleset, is_rechecked, flow);
    };
    const std::string ssh = "      - { id: ssh, in: a, proto: tcp, dport: 22, action: accept }\n";
    CHECK(danger(established + ssh).empty());
    CHECK(danger(ssh) == "the policy of forward would cut it");  // replies
    CHECK(danger("      - { id: no, proto: tcp, action: drop }\n" + established) ==
          "rule no (test.yaml:9) would cut it");
    CHECK(danger(established) == "the policy of forward would not let it begin again");
    CHECK(danger(established, true) ==
          "the policy of forward would cut it (reload.established: recheck)");
    // The port that it came in by counts.
    CHECK_FALSE(
        danger(established + "      - { in: b, proto: tcp, dport: 22, action: accept }\n").empty());
}
