// The section `nat`: what becomes of it, and how rules of it come and go while the box runs.
#include <catch2/catch.hpp>

#include "config/loader.h"
#include "config/rule_change.h"
#include "rules/classifier/classifier.h"
#include "rules/walk.h"
#include "support/route_list.h"
#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

std::unique_ptr<Snapshot> load(const std::string& rest) {
    const std::string text =
        "version: 1\n"
        "interfaces:\n"
        "  lan: { device: \"0000:01:00.0\" }\n"
        "  wan: { device: \"0000:01:00.1\" }\n"
        "  dmz: { device: \"0000:01:00.2\" }\n" +
        rest;
    Diagnostics diagnostics;
    auto configuration = load_configuration("nat.yaml", text, diagnostics);
    INFO(diagnostics.to_text());
    REQUIRE(configuration);
    return std::move(configuration->snapshot);
}

const std::string kForward = "chains:\n  forward: { policy: accept, rules: [] }\n";

const Chain& chain_at(const Ruleset& ruleset, int index) {
    REQUIRE(index != Ruleset::kNoChain);
    return ruleset.chains[static_cast<size_t>(index)];
}

Judgement walk_with(const Ruleset& ruleset, int chain, Sample sample) {
    PathTable paths(ruleset.index_count, 16);
    RuleInput input = sample.input();
    return walk(ruleset, chain, input, paths, 100);
}

}  // namespace

TEST_CASE("nat's lists are base chains of their own, without a policy to write") {
    const auto snapshot = load(kForward +
                               "  input: { policy: drop }\n"
                               "  output: { policy: accept }\n"
                               "nat:\n"
                               "  prerouting:\n"
                               "    - { id: web, in: wan, proto: tcp, dport: 80, dnat: 10.0.0.1 }\n"
                               "  postrouting:\n"
                               "    - { id: all, out: wan, masquerade: true }\n"
                               "    - { id: pool, out: dmz, snat: 192.0.2.1 }\n"
                               "    - { id: other, out: lan, snat: 192.0.2.2 }\n");
    const Ruleset& ruleset = snapshot->ruleset;
    const Chain& before = chain_at(ruleset, ruleset.prerouting);
    const Chain& after = chain_at(ruleset, ruleset.postrouting);
    CHECK(before.name == "nat.prerouting");
    CHECK(before.hook == Hook::Prerouting);
    CHECK(before.policy == Policy::Accept);
    CHECK(after.name == "nat.postrouting");
    CHECK(after.rules.size() == 3);
    CHECK(chain_at(ruleset, ruleset.input).name == "input");
    CHECK(chain_at(ruleset, ruleset.output).name == "output");
    CHECK(before.rules[0].text == "in: wan, family: ipv4, proto: tcp, dport: 80, dnat: 10.0.0.1");
    // Masquerading has the interface's address for a pool.
    CHECK(after.rules[1].decision.nat->pool == 0);
    CHECK(after.rules[2].decision.nat->pool == 1);
    CHECK(ruleset.pool_count == 2);
}

TEST_CASE("a walk through nat ends with what the rule asks for, or with nothing") {
    const auto snapshot = load(
        "chains:\n"
        "  forward: { policy: accept, rules: [] }\n"
        "  more: [ { dst: 192.0.2.8, action: return }, { dnat: 10.0.0.2 } ]\n"
        "nat:\n"
        "  prerouting:\n"
        "    - { dst: 192.0.2.9, action: accept }\n"
        "    - { in: wan, proto: tcp, dport: 80, dnat: \"10.0.0.1:8080\" }\n"
        "    - { dst: 192.0.2.0/28, jump: more }\n");
    const Ruleset& ruleset = snapshot->ruleset;
    Sample sample = tcp("203.0.113.9", 4000, "192.0.2.1", 80);
    sample.in = 1;
    sample.out = kNoInterface;
    const Judgement web = walk_with(ruleset, ruleset.prerouting, sample);
    CHECK(web.step == Step::Translate);
    REQUIRE(web.nat != nullptr);
    CHECK(web.nat->first_port == 8080);
    sample.in = 0;
    const Judgement jumped = walk_with(ruleset, ruleset.prerouting, sample);
    REQUIRE(jumped.nat != nullptr);
    CHECK(jumped.nat->first == IpAddress::parse("10.0.0.2")->bytes);
    sample.tuple.dst = IpAddress::parse("192.0.2.9")->bytes;
    const Judgement accepted = walk_with(ruleset, ruleset.prerouting, sample);
    CHECK(accepted.step == Step::Accept);
    CHECK(accepted.nat == nullptr);
    CHECK_FALSE(accepted.by_policy);
    sample.tuple.dst = IpAddress::parse("192.0.2.8")->bytes;
    const Judgement fallen = walk_with(ruleset, ruleset.prerouting, sample);
    CHECK(fallen.step == Step::Accept);
    CHECK(fallen.by_policy);
}

TEST_CASE("long lists of translations are looked up by the same index as filters") {
    std::string rules;
    for (unsigned i = 0; i < 200; ++i)
        rules += "    - { in: wan, proto: tcp, dport: " + std::to_string(1000 + i * 3 % 200) +
                 ", dnat: 10.0.0." + std::to_string(i + 1) + " }\n";
    const auto snapshot = load(kForward + "nat:\n  prerouting:\n" + rules);
    Ruleset& ruleset = snapshot->ruleset;
    REQUIRE(ruleset.classifier != nullptr);
    CHECK(ruleset.classifier->has_index(static_cast<size_t>(ruleset.prerouting)));
    std::vector<AddressBytes> chosen;
    for (const bool has_index : {true, false}) {
        if (!has_index) ruleset.classifier = nullptr;
        for (uint16_t port = 990; port < 1210; ++port) {
            Sample sample = tcp("203.0.113.9", 4000, "192.0.2.1", port);
            sample.in = 1;
            sample.out = kNoInterface;
            const Judgement judgement = walk_with(ruleset, ruleset.prerouting, sample);
            const bool is_forwarded = port >= 1000 && port < 1200;
            REQUIRE((judgement.nat != nullptr) == is_forwarded);
            const AddressBytes first = is_forwarded ? judgement.nat->first : AddressBytes{};
            if (has_index)
                chosen.push_back(first);
            else
                REQUIRE(chosen[port - 990u] == first);
        }
    }
}

TEST_CASE("hairpin adds a rule for what comes from elsewhere to the addresses of `in`") {
    const auto snapshot = load(kForward +
                               "nat:\n"
                               "  prerouting:\n"
                               "    - { id: web, in: wan, proto: tcp, dport: 80, dnat: 10.0.0.1, "
                               "hairpin: true }\n"
                               "    - { in: wan, dst: 192.0.2.1, not: { src: 10.0.0.0/8 }, "
                               "dnat: 10.0.0.2, hairpin: true }\n"
                               "    - { dnat: 10.0.0.3, hairpin: true }\n");
    const Ruleset& ruleset = snapshot->ruleset;
    const RuleList& rules = chain_at(ruleset, ruleset.prerouting).rules;
    REQUIRE(rules.size() == 5);
    CHECK(rules[1].id == "web.hairpin");
    CHECK(rules[1].is_implicit);
    CHECK_FALSE(rules[0].is_implicit);
    CHECK(rules[1].text ==
          "family: ipv4, proto: tcp, dport: 80, dst_iface: wan, not: { in: wan }, "
          "dnat: 10.0.0.1, hairpin: true");
    CHECK(rules[3].id == rules[2].id + ".hairpin");
    CHECK(rules[3].text ==
          "dst: 192.0.2.1, not: { in: wan, src: 10.0.0.0/8 }, "
          "dnat: 10.0.0.2, hairpin: true");
    CHECK(ruleset.find_rule("web.hairpin") == &rules[1]);

    RouteList routes;
    routes.add("203.0.113.1/32", {.kind = RouteKind::Local, .interface = 1});
    routes.add("192.168.1.1/32", {.kind = RouteKind::Local, .interface = 0});
    Sample sample = tcp("192.168.1.9", 4000, "203.0.113.1", 80);
    sample.in = 0;
    sample.routing = &routes;
    CHECK(walk_with(ruleset, ruleset.prerouting, sample).nat->first ==
          IpAddress::parse("10.0.0.1")->bytes);
    sample.tuple.dst = IpAddress::parse("192.168.1.1")->bytes;  // the box's address inside
    CHECK(walk_with(ruleset, ruleset.prerouting, sample).nat->first ==
          IpAddress::parse("10.0.0.3")->bytes);
}

TEST_CASE("rules of nat come and go while the box runs, with their implicit ones") {
    const auto snapshot =
        load(kForward +
             "nat:\n"
             "  prerouting:\n"
             "    - { id: ssh, in: wan, proto: tcp, dport: 22, dnat: 10.0.0.9 }\n");
    Diagnostics diagnostics;
    const auto added = add_rule(snapshot->ruleset, "nat.prerouting",
                                "id: web, in: wan, dnat: 10.0.0.1, hairpin: true", {}, diagnostics);
    INFO(diagnostics.to_text());
    REQUIRE(added);
    const auto rules_of = [](const Ruleset& ruleset) {
        std::string ids;
        for (const Rule& rule : chain_at(ruleset, ruleset.prerouting).rules)
            ids += rule.id + " ";
        return ids;
    };
    CHECK(rules_of(added->ruleset) == "ssh web web.hairpin ");
    const auto between =
        add_rule(added->ruleset, "nat.prerouting", "id: dns, in: wan, dnat: 10.0.0.2",
                 {RulePosition::Kind::After, "web", 0}, diagnostics);
    REQUIRE(between);
    CHECK(rules_of(between->ruleset) == "ssh web web.hairpin dns ");
    CHECK_FALSE(delete_rule(between->ruleset, "web.hairpin", diagnostics));
    const auto deleted = delete_rule(between->ruleset, "web", diagnostics);
    REQUIRE(deleted);
    CHECK(rules_of(deleted->ruleset) == "ssh dns ");
    CHECK_FALSE(add_rule(snapshot->ruleset, "nat.prerouting", "snat: 10.0.0.1", {}, diagnostics));
}

TEST_CASE("at run time, too, translations and filters do not mix") {
    const auto snapshot = load(
        "chains:\n"
        "  forward: { policy: accept, rules: [ { jump: web } ] }\n"
        "  web: [ { action: drop } ]\n"
        "nat: { prerouting: [ { in: wan, no_nat: true } ] }\n");
    Diagnostics diagnostics;
    CHECK_FALSE(add_rule(snapshot->ruleset, "nat.prerouting", "jump: web", {}, diagnostics));
    CHECK(problem_of(diagnostics).starts_with("E016"));
}

TEST_CASE("neighbour discovery reaches a routed box behind a policy of drop") {
    const auto judge = [](const std::string& rest) {
        const auto snapshot = load(rest +
                                   "chains:\n"
                                   "  forward: { policy: accept, rules: [] }\n"
                                   "  input: { policy: drop, rules: [ { proto: icmpv6, "
                                   "icmpv6: echo-request, action: accept } ] }\n");
        Sample sample = icmp("fe80::1", "ff02::1:ff00:1", 135, 0);
        sample.ct_class = CtClass::Untracked;
        sample.packet.is_untracked_icmpv6 = true;
        sample.packet.hop_limit = 255;
        return walk_with(snapshot->ruleset, snapshot->ruleset.input, sample);
    };
    CHECK(judge("").step == Step::Accept);
    CHECK(judge("bridge: { strict_nd: true }\n").step == Step::Drop);
}

TEST_CASE("rules on local traffic may name the loopback interface") {
    const auto snapshot = load(
        "chains:\n"
        "  forward: { policy: accept, rules: [ { in: lo, action: drop } ] }\n"
        "  input: { policy: drop, rules: [ { in: lo, action: accept } ] }\n"
        "  output: { policy: drop, rules: [ { out: lo, action: accept } ] }\n");
    const Ruleset& ruleset = snapshot->ruleset;
    CHECK(chain_at(ruleset, ruleset.input).rules[0].text == "in: lo, action: accept");
    const Sample sample = tcp("10.0.0.1", 1, "10.0.0.2", 2);
    CHECK(walk_with(ruleset, ruleset.input, sample).by_policy);
}
