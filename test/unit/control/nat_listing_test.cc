// How translations are listed: for people, and for scripts.
#include <catch2/catch.hpp>

#include "config/loader.h"
#include "control/rule_listing.h"

using namespace rampart;

TEST_CASE("translations are listed beside the chains, implicit rules where they are asked for") {
    Diagnostics diagnostics;
    const auto configuration = load_configuration(
        "test.yaml",
        "version: 1\n"
        "interfaces:\n"
        "  a: { device: \"vdev:net_null0\" }\n"
        "chains:\n"
        "  forward: { policy: drop }\n"
        "nat:\n"
        "  prerouting:\n"
        "    - { id: web, in: a, proto: tcp, dport: 80, dnat: \"10.0.0.1:8080\", hairpin: true }\n"
        "    - { id: dns, in: a, proto: udp, dport: 53, redirect: 53 }\n"
        "  postrouting:\n"
        "    - { id: out, out: a, masquerade: true }\n",
        diagnostics);
    INFO(diagnostics.to_text());
    REQUIRE(configuration);
    const Ruleset& ruleset = configuration->snapshot->ruleset;
    std::vector<RuleCount> counts(ruleset.index_count);
    counts[ruleset.find_rule("web.hairpin")->rule_index] = {2, 120};
    const Json json = rules_to_json(ruleset, counts, 1);
    CHECK(json["chains"].size() == 1);
    const Json& before = json["nat"]["prerouting"];
    REQUIRE(before.size() == 3);
    CHECK(before[0]["id"] == "web");
    CHECK(before[0]["target"] == "DNAT to:10.0.0.1:8080");
    CHECK_FALSE(before[0].contains("implicit"));
    CHECK(before[1]["id"] == "web.hairpin");
    CHECK(before[1]["implicit"] == true);
    CHECK(before[1]["packets"] == 2);
    CHECK(json["nat"]["postrouting"][0]["target"] == "MASQUERADE");

    const std::string text = list_rules(ruleset, counts, {.chain = "nat.prerouting"});
    CHECK(text ==
          "Chain nat.prerouting (policy ACCEPT)\n"
          "num  target     prot opt source               destination         \n"
          "1    DNAT       tcp  --  anywhere             anywhere             in a family ipv4 "
          "dport 80 "
          "to:10.0.0.1:8080\n"
          "3    REDIRECT   udp  --  anywhere             anywhere             in a dport 53 redir "
          "ports "
          "53\n");
    const std::string all =
        list_rules(ruleset, counts, {.chain = "nat.prerouting", .implicit = true});
    CHECK(all.find("\n2    DNAT") != all.npos);
    CHECK(all.find("(implicit)\n") != all.npos);
}
