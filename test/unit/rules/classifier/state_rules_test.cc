// What class and direction alone say about the packets of a chain.
#include "rules/classifier/state_rules.h"

#include <catch2/catch.hpp>

#include "rules/classifier/classifier.h"
#include "support/load.h"
#include "unit/rules/classifier/random_rules.h"

namespace rampart::test {
namespace {

struct Asked {
    explicit Asked(const std::string& rules)
        : snapshot(load(config_with("{ policy: drop, rules: [" + rules + "] }", ""))) {}
    const StateRules& of_forward() const {
        const auto chain = static_cast<size_t>(snapshot->ruleset.forward);
        const StateRules* rules = snapshot->ruleset.classifier->by_state(chain);
        REQUIRE(rules != nullptr);
        return *rules;
    }
    uint32_t first(CtClass ct_class, Direction direction = Direction::Original,
                   Family family = Family::Ipv4) const {
        return of_forward().first(family, ct_state(ct_class, direction));
    }
    // Its position, or -1.
    int deciding(CtClass ct_class, Direction direction = Direction::Original,
                 Family family = Family::Ipv4) const {
        const Rule* rule = of_forward().deciding(family, ct_state(ct_class, direction));
        const RuleList& rules =
            snapshot->ruleset.chains[static_cast<size_t>(snapshot->ruleset.forward)].rules;
        for (size_t i = 0; rule != nullptr && i < rules.size(); ++i)
            if (&rules[i] == rule) return static_cast<int>(i);
        return -1;
    }
    std::unique_ptr<Snapshot> snapshot;
};

}  // namespace

TEST_CASE("a rule about nothing but states decides for them, behind others for new flows") {
    const Asked asked(
        "{ state: new, proto: tcp, dport: 22, action: accept },"
        "{ state: [established, related], action: accept },"
        "{ state: invalid, action: drop },"
        "{ proto: udp, action: accept }");
    CHECK(asked.first(CtClass::New) == StateRules::kAsks);
    CHECK(asked.deciding(CtClass::New) == -1);
    for (const Family family : {Family::Ipv4, Family::Ipv6})
        for (const Direction direction : {Direction::Original, Direction::Reply}) {
            CHECK(asked.first(CtClass::Established, direction, family) == 1);
            CHECK(asked.deciding(CtClass::Established, direction, family) == 1);
            CHECK(asked.deciding(CtClass::Related, direction, family) == 1);
        }
    CHECK(asked.deciding(CtClass::Invalid) == 2);
    CHECK(asked.first(CtClass::Untracked) == StateRules::kAsks);
}

TEST_CASE("what else a rule asks, does, or leaves to others keeps it from deciding by state") {
    SECTION("a log for each packet: known as the first, but it has to be carried out") {
        const Asked asked("{ state: established, log: \"e \", action: accept }");
        CHECK(asked.first(CtClass::Established) == 0);
        CHECK(asked.deciding(CtClass::Established) == -1);
    }
    SECTION("a jump") {
        const auto snapshot =
            load(config_with("{ policy: drop, rules: [{ state: established, jump: other }] }",
                             "  other: [{ action: accept }]\n"));
        const auto chain = static_cast<size_t>(snapshot->ruleset.forward);
        const StateRules& rules = *snapshot->ruleset.classifier->by_state(chain);
        const unsigned ct = ct_state(CtClass::Established, Direction::Original);
        CHECK(rules.first(Family::Ipv4, ct) == 0);
        CHECK(rules.deciding(Family::Ipv4, ct) == nullptr);
    }
    SECTION("a mark, which the classifier does not look at") {
        const Asked asked(
            "{ state: established, mark: 1, action: drop }, { state: established, action: accept "
            "}");
        CHECK(asked.first(CtClass::Established) == 0);
        CHECK(asked.deciding(CtClass::Established) == -1);
    }
    SECTION("an interface, a protocol, an address, a port") {
        for (const std::string match :
             {"in: lan", "proto: udp", "src: 192.0.2.0/24", "proto: tcp, dport: 80"}) {
            const Asked asked("{ state: established, " + match + ", action: accept }");
            INFO(match);
            CHECK(asked.first(CtClass::Established) == StateRules::kAsks);
            CHECK(asked.deciding(CtClass::Established) == -1);
        }
    }
    SECTION("a family: it decides for that one") {
        const Asked asked(
            "{ family: ipv6, action: drop }, { src: 192.0.2.1, action: drop },"
            "{ state: established, action: accept }");
        CHECK(asked.first(CtClass::Established, Direction::Original, Family::Ipv6) == 0);
        CHECK(asked.first(CtClass::Established) == StateRules::kAsks);
    }
    SECTION("nothing that can match: the policy") {
        const Asked asked("{ state: new, action: accept }");
        CHECK(asked.first(CtClass::Established) == kNoRule);
        CHECK(asked.deciding(CtClass::Established) == -1);
        CHECK(asked.deciding(CtClass::New) == 0);
    }
    SECTION("a direction") {
        const Asked asked(
            "{ state: established, ct_dir: reply, action: accept },"
            "{ state: established, action: drop }");
        CHECK(asked.deciding(CtClass::Established, Direction::Reply) == 0);
        CHECK(asked.deciding(CtClass::Established, Direction::Original) == 1);
    }
}

}  // namespace rampart::test
