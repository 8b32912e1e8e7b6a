#include "config/loader.h"

#include <filesystem>

#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

const std::string kHead =
    "version: 1\n"
    "interfaces:\n"
    "  inside: {\"device\": \"vdev:net_af_packet0,iface=i0\", \"bridge\": \"outside\"}\n"
    "  outside: {\"device\": \"vdev:net_af_packet1,iface=o0\", \"bridge\": \"inside\"}\n";
const std::string kForward = "chains: { forward: { policy: drop } }\n";

struct Loading {
    explicit Loading(const std::string& text)
        : configuration(load_configuration("a.yaml", text, diagnostics)) {}

    std::string problem() const { return problem_of(diagnostics); }
    const Ruleset& ruleset() const { return configuration->snapshot->ruleset; }

    Diagnostics diagnostics;
    std::optional<Configuration> configuration;
};

Loading with_rules(const std::string& rules, const std::string& more = "") {
    return Loading(kHead + more + "chains:\n  forward:\n    policy: drop\n    rules:\n" + rules);
}

}  // namespace

TEST_CASE("the shipped examples load without a word") {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(RAMPART_SOURCE_ROOT "/config")) {
        if (entry.path().extension() != ".yaml") continue;
        ++count;
        CAPTURE(entry.path());
        Diagnostics diagnostics;
        CHECK(load_configuration_file(entry.path(), diagnostics));
        CHECK(diagnostics.to_text().empty());
    }
    CHECK(count >= 2);
}

TEST_CASE("rules in JSON flow style load, a rule without a verdict counts and continues") {
    const Loading loading(
        kHead +
        "conntrack: {\"tcp_loose\": false, \"timeouts\": {\"tcp_syn_sent\": \"5s\"}}\n"
        "chains:\n"
        "  forward:\n"
        "    policy: accept\n"
        "    rules:\n"
        "      - {\"id\": \"c_new\", \"state\": \"new\"}\n"
        "      - {\"id\": \"c_est_o\", \"state\": \"established\", \"ct_dir\": \"original\"}\n"
        "      - {\"id\": \"x\", \"in\": \"inside\", \"proto\": \"tcp\", \"dport\": [80, \"443\"], "
        "\"action\": \"reject\", \"reject_with\": \"tcp-reset\"}\n");
    CHECK(loading.problem().empty());
    REQUIRE(loading.configuration);
    const Chain& forward = loading.ruleset().chains.at(0);
    CHECK(forward.policy == Policy::Accept);
    REQUIRE(forward.rules.size() == 3);
    CHECK(forward.rules[1].id == "c_est_o");
    CHECK(forward.rules[1].decision == Decision{});
    CHECK(forward.rules[2].text ==
          "in: inside, proto: tcp, dport: [80, 443], action: reject, "
          "reject_with: tcp-reset");
    CHECK(forward.rules[2].place == "a.yaml:12");
    CHECK_FALSE(loading.configuration->snapshot->conntrack.tcp_loose);
    CHECK(loading.configuration->snapshot->conntrack.timeout(TimeoutId::TcpSynSent) ==
          ticks_of_seconds(5));
}

TEST_CASE("a configuration without settings has the kernel's defaults") {
    const Loading loading(kHead + kForward);
    REQUIRE(loading.configuration);
    const Snapshot& snapshot = *loading.configuration->snapshot;
    CHECK(snapshot.conntrack.max == 262144);
    CHECK(snapshot.conntrack.tcp_loose);
    CHECK(snapshot.conntrack.timeout(TimeoutId::TcpEstablished) == ticks_of_seconds(432000));
    CHECK(snapshot.link.pass == std::vector<uint16_t>{0x0806});
    CHECK(snapshot.ruleset.allow_neighbour_discovery);
    CHECK(snapshot.ruleset.forward == 0);
    CHECK(loading.configuration->system.control.mode == 0660);
}

TEST_CASE("rules and policies share one numbering") {
    const Loading loading(
        kHead +
        "chains:\n"
        "  web: [ { action: accept }]\n"
        "  forward: { policy: drop, rules: [ { jump: web }, { state: new } ] }\n");
    REQUIRE(loading.configuration);
    const Ruleset& ruleset = loading.ruleset();
    CHECK(ruleset.chains[0].rules[0].rule_index == 0);
    CHECK(ruleset.forward == 1);
    CHECK(ruleset.chains[1].rules[1].rule_index == 2);
    CHECK(ruleset.chains[1].policy_index == 3);
    CHECK(ruleset.neighbour_discovery_index == 4);
    CHECK(ruleset.index_count == 5);
    CHECK(ruleset.chains[1].rules[0].decision.chain == 0);
}

TEST_CASE("an id that was not given depends on the text and the chain only") {
    const Loading a = with_rules("      - { proto: tcp, dport: 22, action: accept }\n");
    const Loading b = with_rules(
        "      - { state: new }\n"
        "      - { dport: 22, comment: ssh, proto: tcp, action: accept }\n"
        "      - { dport: 22, proto: tcp, action: accept }\n");
    REQUIRE(a.configuration);
    REQUIRE(b.configuration);
    const auto& rules = b.ruleset().chains[0].rules;
    CHECK(rules[1].id == a.ruleset().chains[0].rules[0].id);
    CHECK(rules[2].id == rules[1].id + "-2");
}

TEST_CASE("the text of a rule loads again as the same rule") {
    const Loading first = with_rules(
        "      - { not: { src: 10.0.0.0/8, in: inside }, proto: [udp, tcp], sport: 1-2, goto: w }\n"
        "      - { family: [ipv4, ipv6], not: { src: 10.0.0.1 }, action: drop }\n"
        "      - { dst: [\"2001:db8::/32\", 10.0.0.1-10.0.0.9], state: [related, new], jump: w }\n"
        "      - { family: ipv6, proto: icmpv6, icmpv6: [1/4, 128], in: \"out*\", action: drop }\n"
        "  w: []\n");
    CHECK(first.problem().empty());
    REQUIRE(first.configuration);
    std::string rules;
    for (const Rule& rule : first.ruleset().chains[0].rules)
        rules += "      - { " + rule.text + " }\n";
    const Loading second = with_rules(rules + "  w: []\n");
    CHECK(second.problem().empty());
    REQUIRE(second.configuration);
    for (size_t i = 0; i < 4; ++i) {
        CHECK(first.ruleset().chains[0].rules[i].text == second.ruleset().chains[0].rules[i].text);
        CHECK(first.ruleset().chains[0].rules[i].id == second.ruleset().chains[0].rules[i].id);
    }
}

TEST_CASE("a negated address of one family narrows its rule to that family") {
    const Loading loading = with_rules("      - { not: { src: 10.0.0.0/8 }, action: accept }\n");
    REQUIRE(loading.configuration);
    const Rule& rule = loading.ruleset().chains[0].rules[0];
    CHECK(rule.text == "family: ipv4, not: { src: 10.0.0.0/8 }, action: accept");
    const auto holds = [&rule](Sample sample) {
        for (const Match& match : rule.matches) {
            if (!match.matches(sample.input())) return false;
        }
        return true;
    };
    CHECK(holds(tcp("11.0.0.1", 1, "10.0.0.2", 2)));
    CHECK_FALSE(holds(tcp("10.0.0.1", 1, "10.0.0.2", 2)));
    CHECK_FALSE(holds(tcp("2001:db8::1", 1, "2001:db8::2", 2)));
}

TEST_CASE("a disabled rule is checked but not used") {
    const Loading loading = with_rules("      - { enabled: false, action: accept }\n");
    REQUIRE(loading.configuration);
    CHECK(loading.ruleset().chains[0].rules.empty());
    CHECK_FALSE(with_rules("      - { enabled: false, action: acept }\n").configuration);
}

TEST_CASE("definitions stand for scalars and lists") {
    const Loading loading(
        kHead + "define: { net: 10.0.0.0/8, more: [192.0.2.1, $net], ports: [22, 80] }\n" +
        kForward);
    CHECK(loading.problem().find("E020 a definition cannot use another") != std::string::npos);
    const Loading good(kHead +
                       "define: { nets: [10.0.0.0/8, 192.0.2.1], ports: [22, 80] }\n"
                       "chains: { forward: { policy: accept, rules: [ { src: [$nets, 192.0.2.9], "
                       "proto: tcp, dport: \"$ports\", comment: $nets, action: accept } ] } }\n");
    CHECK(good.problem().empty());
    REQUIRE(good.configuration);
    const Rule& rule = good.ruleset().chains[0].rules[0];
    CHECK(rule.text ==
          "proto: tcp, src: [10.0.0.0/8, 192.0.2.1, 192.0.2.9], dport: [22, 80], "
          "action: accept");
    CHECK(rule.comment == "$nets");
}

TEST_CASE("one side of a pair may name the other") {
    const Loading loading(
        "version: 1\ninterfaces:\n  a: { device: \"0000:01:00.0\", bridge: b }\n"
        "  b: { device: \"0000:01:00.1\", mtu: 9000, queues: 2 }\n" +
        kForward);
    CHECK(loading.problem().empty());
    REQUIRE(loading.configuration);
    CHECK(loading.ruleset().names.interfaces[0].bridge_peer == 1);
    CHECK(loading.ruleset().names.interfaces[1].bridge_peer == 0);
    CHECK(loading.configuration->system.devices[1].mtu == 9000);
    CHECK(loading.configuration->system.devices[1].queues == uint16_t{2});
}

TEST_CASE("a virtual device is handed to DPDK without its prefix") {
    const Loading loading(kHead + kForward);
    REQUIRE(loading.configuration);
    CHECK(loading.configuration->system.devices[0].device == "net_af_packet0,iface=i0");
    CHECK(loading.configuration->system.devices[0].is_virtual);
}

TEST_CASE("workers are CPUs or a number") {
    const Loading list(kHead + kForward + "cores: { control: 0, workers: [1, 2], idle: sleep }\n");
    REQUIRE(list.configuration);
    CHECK(list.configuration->system.cores.workers == std::vector<unsigned>{1, 2});
    CHECK(list.configuration->system.cores.sleep_when_idle);
    const Loading count(kHead + kForward + "cores: { workers: 2 }\n");
    REQUIRE(count.configuration);
    CHECK(count.configuration->system.cores.worker_count == 2);
    CHECK(count.configuration->system.cores.workers.empty());
    CHECK_FALSE(Loading(kHead + kForward + "cores: { workers: 0 }\n").configuration);
    CHECK_FALSE(Loading(kHead + kForward + "cores: { workers: [] }\n").configuration);
}

TEST_CASE("system settings are read with their units") {
    const Loading loading(kHead + kForward +
                          "memory: { hugepages: never, size: 512M, mbufs: 16384 }\n"
                          "control: { socket: /tmp/x.sock, mode: \"0600\", group: adm }\n"
                          "eal: [\"--log-level\", \"lib.*:8\"]\n"
                          "bridge: { pass: [arp, lldp, 0x88b5], strict_nd: true }\n"
                          "reload: { established: keep, counters: keep }\n");
    CHECK(loading.problem().empty());
    REQUIRE(loading.configuration);
    const SystemSettings& system = loading.configuration->system;
    CHECK(system.memory.hugepages == Hugepages::Never);
    CHECK(system.memory.size_bytes == 512ull << 20);
    CHECK(system.control.mode == 0600);
    CHECK(system.eal.size() == 2);
    CHECK(loading.configuration->snapshot->link.pass ==
          std::vector<uint16_t>{0x0806, 0x88cc, 0x88b5});
    CHECK_FALSE(loading.ruleset().allow_neighbour_discovery);
}

TEST_CASE("chains may jump sixteen deep and no deeper") {
    const auto nested = [](int depth) {
        std::string text =
            kHead + "chains:\n  forward: { policy: drop, rules: [ { jump: c1 } ] }\n";
        for (int i = 1; i < depth; ++i) {
            text += "  c" + std::to_string(i) + ": [ { jump: c" + std::to_string(i + 1) + " } ]\n";
        }
        return Loading(text + "  c" + std::to_string(depth) + ": [ { action: accept } ]\n");
    };
    CHECK(nested(16).configuration);
    CHECK_FALSE(nested(17).configuration);
    CHECK(nested(17).problem().substr(0, 4) == "E025");
}

TEST_CASE("a file that is not one is refused with the reason") {
    Diagnostics missing;
    CHECK_FALSE(load_configuration_file("/nonexistent/rampart.yaml", missing));
    CHECK(problem_of(missing) == "E001 cannot be read: No such file or directory");
    Diagnostics folder;
    CHECK_FALSE(load_configuration_file("/tmp", folder));
    CHECK(problem_of(folder).find("not a regular file") != std::string::npos);
    Diagnostics device;
    CHECK_FALSE(load_configuration_file("/dev/zero", device));
    Diagnostics large;
    CHECK_FALSE(load_configuration("a", std::string(kMaxFileBytes + 1, ' '), large));
    CHECK(problem_of(large) == "E001 larger than 16 MiB");
}

TEST_CASE("names of services stand for ports only when the file says so") {
    const std::string rule =
        "      - { proto: [tcp, udp], dport: [https, 8080], action: accept }\n";
    const Loading without = with_rules(rule);
    CHECK_FALSE(without.configuration);
    CHECK(without.problem().find("write the number 443, or services: true") != std::string::npos);
    const Loading with = with_rules(rule, "services: true\n");
    REQUIRE(with.configuration);
    CHECK(with.ruleset().chains[0].rules[0].text ==
          "proto: [tcp, udp], dport: [443, 8080], action: accept");
    const Loading unknown = with_rules(
        "      - { proto: tcp, dport: no-such-service, action: accept }\n", "services: true\n");
    CHECK_FALSE(unknown.configuration);
}
