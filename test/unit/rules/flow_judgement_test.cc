// What the rules say about a flow whose first packet is gone: certain refusals only.
#include "rules/flow_judgement.h"

#include <catch2/catch.hpp>

#include "support/load.h"

namespace rampart::test {
namespace {

// Judges a new connection from lan to TCP port 80. Rules whose id begins with "perhaps" are taken
// as if they looked at the packet.
FlowJudgement judged(const std::string& chains) {
    const auto snapshot = load(
        "version: 1\n"
        "interfaces: { lan: { device: \"vdev:net_null0\", bridge: wan }, "
        "wan: { device: \"vdev:net_null1\" } }\n"
        "chains:\n" +
        chains);
    for (Chain& chain : snapshot->ruleset.chains)
        for (Rule& rule : chain.rules)
            if (rule.id.starts_with("perhaps")) rule.constant_matches = 0;
    Packet packet;
    Tuple tuple;
    tuple.src = IpAddress::parse("10.0.0.2")->bytes;
    tuple.dst = IpAddress::parse("192.0.2.1")->bytes;
    tuple.src_port = be16::from_host(4000);
    tuple.dst_port = be16::from_host(80);
    tuple.protocol = ip_protocol::kTcp;
    tuple.family = Family::Ipv4;
    return judge_flow(snapshot->ruleset, snapshot->ruleset.forward,
                      {packet, tuple, CtClass::New, Direction::Original, 0, 1});
}

bool is_refused(const std::string& rules, const std::string& rest = "") {
    return judged("  forward:\n    policy: drop\n    rules:\n" + rules + rest).is_refused;
}

}  // namespace

TEST_CASE("a flow is judged like its first packet when all rules are about addresses") {
    CHECK(is_refused("      - { proto: udp, action: accept }\n"));
    CHECK_FALSE(is_refused("      - { proto: tcp, dport: 80, action: accept }\n"));
    CHECK(is_refused("      - { state: established, action: accept }\n"));
    CHECK(is_refused("      - { src: 10.0.0.0/8, action: drop }\n      - { action: accept }\n"));
    CHECK_FALSE(is_refused("      - { jump: web }\n",
                           "  web:\n    rules:\n      - { dst: 192.0.2.1, action: accept }\n"));
    CHECK(is_refused("      - { goto: web }\n      - { action: accept }\n",
                     "  web:\n    rules:\n      - { proto: udp, action: accept }\n"));
    CHECK_FALSE(is_refused("      - { jump: web }\n      - { action: accept }\n",
                           "  web:\n    rules:\n      - { action: return }\n"
                           "      - { proto: tcp, action: drop }\n"));
}

TEST_CASE("the rule or policy that refuses a flow is named") {
    const FlowJudgement by_rule = judged(
        "  forward:\n    policy: accept\n    rules:\n"
        "      - { proto: udp, action: drop }\n      - { proto: tcp, action: reject }\n");
    CHECK(by_rule.is_refused);
    CHECK(by_rule.rule == 1);
    const FlowJudgement by_policy = judged(
        "  forward:\n    policy: drop\n    rules:\n      - { proto: udp, action: accept }\n");
    CHECK(by_policy.is_refused);
    CHECK(by_policy.rule == 1);
}

TEST_CASE("what looks at the packet is doubtful, and doubts are for the flow") {
    // It may have accepted the first packet, and may not have dropped it.
    CHECK_FALSE(is_refused("      - { id: perhaps, proto: tcp, action: accept }\n"));
    CHECK_FALSE(
        is_refused("      - { id: perhaps, proto: tcp, action: drop }\n"
                   "      - { proto: tcp, action: accept }\n"));
    CHECK(is_refused("      - { id: perhaps, proto: tcp, action: drop }\n"));
    // A drop behind a doubtful jump is passed over, an accept counts.
    const std::string bad_flags = "  bad:\n    rules:\n      - { proto: tcp, action: drop }\n";
    CHECK_FALSE(
        is_refused("      - { id: perhaps, proto: tcp, jump: bad }\n"
                   "      - { proto: tcp, action: accept }\n",
                   bad_flags));
    CHECK(is_refused("      - { id: perhaps, proto: tcp, jump: bad }\n", bad_flags));
    CHECK_FALSE(is_refused("      - { id: perhaps, proto: tcp, goto: good }\n",
                           "  good:\n    rules:\n      - { proto: tcp, action: accept }\n"));
    CHECK_FALSE(
        is_refused("      - { id: perhaps, proto: tcp, goto: bad }\n"
                   "      - { proto: tcp, action: accept }\n",
                   bad_flags));
    // The chain of a rate limit: within the rate it returns, else it drops.
    CHECK_FALSE(is_refused("      - { jump: rate }\n      - { proto: tcp, action: accept }\n",
                           "  rate:\n    rules:\n"
                           "      - { id: perhaps, proto: tcp, action: return }\n"
                           "      - { proto: tcp, action: drop }\n"));
}

}  // namespace rampart::test
