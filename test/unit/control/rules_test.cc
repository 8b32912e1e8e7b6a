// Counters over reloads, and the listings that show them.
#include <catch2/catch.hpp>

#include "config/loader.h"
#include "control/commands/drop_report.h"
#include "control/controller.h"
#include "control/rule_listing.h"

using namespace rampart;

namespace {

std::string file_with(const std::string& rules, const std::string& more = "") {
    return "version: 1\n"
           "interfaces:\n"
           "  a: { device: \"vdev:net_null0\", bridge: b }\n"
           "  b: { device: \"vdev:net_null1\" }\n" +
           more +
           "chains:\n"
           "  forward:\n"
           "    policy: drop\n"
           "    rules:\n" +
           rules;
}

Configuration load(const std::string& text) {
    Diagnostics diagnostics;
    auto configuration = load_configuration("test.yaml", text, diagnostics);
    INFO(diagnostics.to_text());
    REQUIRE(configuration);
    return std::move(*configuration);
}

const Chain& forward_of(const Configuration& configuration) {
    const Ruleset& ruleset = configuration.snapshot->ruleset;
    return ruleset.chains[static_cast<size_t>(ruleset.forward)];
}

}  // namespace

TEST_CASE("rules keep their counts over a reload by id, policies by chain") {
    const Configuration before =
        load(file_with("      - { id: one, proto: tcp, action: accept }\n"
                       "      - { id: two, proto: udp, action: accept }\n"));
    const Configuration after =
        load(file_with("      - { id: new, proto: icmp, action: accept }\n"
                       "      - { id: two, proto: udp, dport: 53, action: accept }\n"));
    std::vector<RuleCount> counts(before.snapshot->ruleset.index_count);
    counts[forward_of(before).rules[0].rule_index] = {1, 100};
    counts[forward_of(before).rules[1].rule_index] = {2, 200};
    counts[forward_of(before).policy_index] = {3, 300};
    counts[before.snapshot->ruleset.neighbour_discovery_index] = {4, 400};

    const auto moved = carry_over(before.snapshot->ruleset, counts, after.snapshot->ruleset);
    CHECK(moved.size() == after.snapshot->ruleset.index_count);
    CHECK(moved[forward_of(after).rules[0].rule_index].packets == 0);
    CHECK(moved[forward_of(after).rules[1].rule_index].packets == 2);
    CHECK(moved[forward_of(after).rules[1].rule_index].bytes == 200);
    CHECK(moved[forward_of(after).policy_index].packets == 3);
    CHECK(moved[after.snapshot->ruleset.neighbour_discovery_index].bytes == 400);
}

TEST_CASE("the publisher numbers generations and adds up what was counted in each") {
    Publisher publisher({});
    CHECK_FALSE(publisher.has_snapshot());
    CHECK(publisher.publish(std::move(
              load(file_with("      - { id: one, proto: tcp, action: accept }\n")).snapshot)) == 1);
    CHECK(publisher.publish(std::move(
              load(file_with("      - { id: one, proto: tcp, action: drop }\n")).snapshot)) == 2);
    CHECK(publisher.current().generation == 2);
    CHECK(publisher.wait_until_active(0));
    CHECK(publisher.counts().size() == publisher.current().ruleset.index_count);
}

namespace {

// Publishes a rule `one`, with a path table such as a worker has.
void publish(Publisher& publisher, const std::string& more = "") {
    auto snapshot = std::move(
        load(file_with("      - { id: one, proto: tcp, action: accept }\n", more)).snapshot);
    snapshot->paths.push_back(std::make_unique<PathTable>(snapshot->ruleset.index_count));
    publisher.publish(std::move(snapshot));
}

void count(Publisher& publisher, uint64_t packets) {
    publisher.current().paths[0]->count_direct(0, packets, 100 * packets);
}

}  // namespace

TEST_CASE("counters that are reset count from zero, over further reloads too") {
    Publisher publisher({});
    publish(publisher);
    count(publisher, 7);
    CHECK(publisher.counts()[0].packets == 7);
    CHECK(publisher.reset_counts({0}));
    CHECK(publisher.counts()[0].packets == 0);
    count(publisher, 2);
    CHECK(publisher.counts()[0].packets == 2);
    CHECK(publisher.counts()[0].bytes == 200);
    publish(publisher);
    count(publisher, 1);
    CHECK(publisher.counts()[0].packets == 3);
    publisher.collect();
    CHECK(publisher.counts()[0].packets == 3);
    CHECK(publisher.reset_counts({0, 1}));
    CHECK(publisher.counts()[0].packets == 0);
}

TEST_CASE("reload.counters: reset lets the rules count from zero, keep goes on from there") {
    Publisher publisher({});
    publish(publisher);
    count(publisher, 7);
    publish(publisher, "reload: { counters: reset }\n");
    CHECK(publisher.counts()[0].packets == 0);
    count(publisher, 2);
    publisher.collect();
    CHECK(publisher.counts()[0].packets == 2);
    publish(publisher);
    CHECK(publisher.counts()[0].packets == 2);
}

TEST_CASE("flows that a recheck ended are told by rule, and in all over the generations") {
    Publisher publisher({});
    publish(publisher, "reload: { established: recheck }\n");
    CHECK(describe_flows_cut(publisher).empty());
    publisher.current().paths[0]->count_flow_cut(0);
    publisher.current().paths[0]->count_flow_cut(1);
    publisher.current().paths[0]->count_flow_cut(1);
    CHECK(publisher.flows_cut() == 3);
    CHECK(describe_flows_cut(publisher) == "policy of forward 2, rule one (test.yaml:10) 1");
    publish(publisher);
    publisher.collect();
    CHECK(publisher.flows_cut() == 3);
}

TEST_CASE("rules as JSON have the keys that scripts rely on") {
    const Configuration configuration =
        load(file_with("      - { id: est, state: established, action: accept }\n"
                       "      - { id: c_new, state: new }\n"));
    std::vector<RuleCount> counts(configuration.snapshot->ruleset.index_count);
    counts[forward_of(configuration).rules[0].rule_index] = {1, 60};
    counts[forward_of(configuration).policy_index] = {5, 500};
    const Json json = rules_to_json(configuration.snapshot->ruleset, counts, 3);
    CHECK(json["generation"] == 3);
    const Json& chain = json["chains"][0];
    CHECK(chain["name"] == "forward");
    CHECK(chain["hook"] == "forward");
    CHECK(chain["policy"] == "drop");
    CHECK(chain["policy_packets"] == 5);
    CHECK(chain["policy_bytes"] == 500);
    CHECK(chain["rules"][0]["id"] == "est");
    CHECK(chain["rules"][0]["packets"] == 1);
    CHECK(chain["rules"][0]["bytes"] == 60);
    CHECK(chain["rules"][1]["id"] == "c_new");
    CHECK(json["nat"]["prerouting"] == Json::array());
    CHECK(json["nat"]["postrouting"] == Json::array());
}

TEST_CASE("the listing has the columns of iptables") {
    const Configuration configuration = load(file_with(
        "      - { id: web, in: a, proto: tcp, src: 10.9.0.0/24, dport: [80, 443], state: new, "
        "action: accept, comment: \"hello\" }\n"
        "      - { id: no, not: { proto: [tcp, udp] }, action: reject }\n"));
    std::vector<RuleCount> counts(configuration.snapshot->ruleset.index_count);
    counts[forward_of(configuration).rules[0].rule_index] = {7, 123456};
    const std::string text =
        list_rules(configuration.snapshot->ruleset, counts, {.verbose = true, .numeric = true});
    CHECK(text ==
          "Chain forward (policy DROP 0 packets, 0 bytes)\n"
          "num   pkts bytes target     prot opt in     out     source               destination"
          "         \n"
          "1        7  123K ACCEPT     6    --  a      *       10.9.0.0/24          0.0.0.0/0   "
          "         dport 80,443 state new /* hello */\n"
          "2        0     0 REJECT     !6,17 --  *      *       0.0.0.0/0            0.0.0.0/0 "
          "          \n");
}

TEST_CASE("drops as JSON name every reason, zeros included") {
    Totals totals;
    totals.drops[static_cast<size_t>(DropReason::Policy)] = 3;
    const Json json = drops_to_json(totals, false);
    CHECK(json["drops"].size() == kDropReasonCount);
    CHECK(json["drops"][0] == Json({{"reason", "policy"}, {"packets", 3}}));
    CHECK_FALSE(json.contains("invalid"));
    CHECK(drops_to_json(totals, true)["invalid"].size() == kInvalidReasonCount - 1);
    CHECK(drops_to_text(totals, false, false).find("fragment") == std::string::npos);
    CHECK(drops_to_text(totals, true, false).find("fragment") != std::string::npos);
}

TEST_CASE("the sum of all exits is what came in") {
    WorkerCounters counters;
    counters.received.add(10);
    counters.handed_in.add(2);
    counters.forwarded.add(7);
    counters.handed_out.add(1);
    counters.drops[0].add(3);
    Totals totals = totals_of(counters);
    CHECK(totals.dropped() == 3);
    CHECK(totals.in_flight() == 1);
    totals += counters;
    CHECK(totals.received == 20);
}

TEST_CASE("a file that changes what is fixed needs a restart and says which part") {
    const std::string rules = "      - { id: one, proto: tcp, action: accept }\n";
    const Configuration running = load(file_with(rules));
    const auto errors_of = [&](const Configuration& wanted) {
        Diagnostics diagnostics;
        report_fixed_settings(running.system, running.snapshot->conntrack.max, wanted, diagnostics);
        return diagnostics.error_count();
    };
    CHECK(errors_of(load(file_with(rules))) == 0);
    CHECK(errors_of(load(file_with(rules, "conntrack: { accounting: true }\n"))) == 0);
    CHECK(errors_of(load(file_with(rules, "conntrack: { max: 1000 }\n"))) == 1);
    CHECK(errors_of(load(file_with(rules, "conntrack: { index: rte_hash }\n"))) == 1);
    CHECK(errors_of(load(file_with(rules, "conntrack: { index: buckets }\n"))) == 0);
    CHECK(errors_of(load(file_with(rules, "cores: { workers: 2 }\nmemory: { mbufs: 9000 }\n"))) ==
          2);
}
