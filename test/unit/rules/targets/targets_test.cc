#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("each plain action is its step") {
    const auto step = [](const std::string& name) {
        const TargetBench bench("{ action: " + name + " }");
        CHECK(bench.is_good);
        CHECK(bench.printed == "action: " + name);
        return bench.decision;
    };
    CHECK(step("accept") == Decision{Step::Accept});
    CHECK(step("drop") == Decision{Step::Drop});
    CHECK(step("return") == Decision{Step::Return});
    CHECK(step("continue") == Decision{Step::Continue});
    CHECK(step("log") == Decision{Step::Continue});
    CHECK(step("reject") == Decision{Step::Reject, RejectWith::Default});
}

TEST_CASE("listings use the words of iptables") {
    CHECK(TargetBench("{ action: accept }").short_form == "ACCEPT");
    CHECK(TargetBench("{ action: reject }").short_form == "REJECT");
    CHECK(TargetBench("{ jump: web }").short_form == "web");
    CHECK(TargetBench("{ goto: web }").short_form == "web [goto]");
}

TEST_CASE("reject says what is sent back") {
    const auto with = [](const std::string& answer) {
        return TargetBench("{ proto: tcp, action: reject, reject_with: " + answer + " }");
    };
    CHECK(with("tcp-reset").decision.reject_with == RejectWith::TcpReset);
    CHECK(with("port-unreachable").decision.reject_with == RejectWith::PortUnreachable);
    CHECK(with("host-unreachable").decision.reject_with == RejectWith::HostUnreachable);
    CHECK(with("net-unreachable").decision.reject_with == RejectWith::NetUnreachable);
    CHECK(with("admin-prohibited").decision.reject_with == RejectWith::AdminProhibited);
    CHECK(with("proto-unreachable").decision.reject_with == RejectWith::ProtoUnreachable);
    CHECK(with("net-prohibited").decision.reject_with == RejectWith::NetProhibited);
    CHECK(with("host-prohibited").decision.reject_with == RejectWith::HostProhibited);
    CHECK(with("policy-fail").decision.reject_with == RejectWith::PolicyFail);
    CHECK(with("reject-route").decision.reject_with == RejectWith::RejectRoute);
    CHECK(problem_of(with("icmp-port-unreachable").diagnostics) ==
          "E007 unknown 'reject_with' 'icmp-port-unreachable' | did you mean 'port-unreachable'?");
    CHECK(with("admin-prohibited").printed == "action: reject, reject_with: admin-prohibited");
    CHECK(problem_of(with("tcp-rst").diagnostics) ==
          "E007 unknown 'reject_with' 'tcp-rst' | did you mean 'tcp-reset'?");
}

TEST_CASE("only TCP can be reset") {
    CHECK_FALSE(TargetBench("{ action: reject, reject_with: tcp-reset }").is_good);
    CHECK_FALSE(
        TargetBench("{ proto: [tcp, udp], action: reject, reject_with: tcp-reset }").is_good);
}

TEST_CASE("jump and goto name a user chain") {
    CHECK(TargetBench("{ jump: web }").decision ==
          Decision{.step = Step::Jump, .reject_with = RejectWith::None, .chain = 1});
    CHECK(TargetBench("{ goto: web }").decision.step == Step::Goto);
    CHECK(TargetBench("{ goto: web }").printed == "goto: web");
    CHECK(problem_of(TargetBench("{ jump: wbe }").diagnostics) ==
          "E013 no chain named 'wbe' | did you mean 'web'?");
    CHECK(problem_of(TargetBench("{ jump: ACCEPT }").diagnostics) ==
          "E013 no chain named 'ACCEPT' | write  action: accept");
    CHECK(problem_of(TargetBench("{ jump: forward }").diagnostics).substr(0, 4) == "E013");
    CHECK_FALSE(TargetBench("{ jump: [web] }").is_good);
}

TEST_CASE("every step but continue knows the target that prints it") {
    CHECK(target_of({.step = Step::Continue}) == nullptr);
    for (const Step step :
         {Step::Accept, Step::Drop, Step::Reject, Step::Return, Step::Jump, Step::Goto}) {
        REQUIRE(target_of({.step = step}) != nullptr);
    }
    CHECK(target_of({.step = Step::Goto})->name == "goto");
}
