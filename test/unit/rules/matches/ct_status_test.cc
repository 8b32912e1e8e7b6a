#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("ct_status matches when the flow has one of the bits") {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    const RuleBench bench("{ ct_status: [assured, dnat] }", "ct_status");
    CHECK_FALSE(bench.matches(sample));
    Flow flow;
    sample.flow = &flow;
    CHECK_FALSE(bench.matches(sample));
    flow.set_status(flow_status::kSeenReply);
    CHECK_FALSE(bench.matches(sample));
    CHECK(RuleBench("{ ct_status: seen_reply }", "ct_status").matches(sample));
    flow.set_status(flow_status::kAssured);
    CHECK(bench.matches(sample));
    CHECK(bench.print() == "[assured, dnat]");
}

TEST_CASE("an unknown status is named") {
    const RuleBench bench("{ ct_status: ASSURED }", "ct_status");
    CHECK(bench.problem() == "E007 unknown status 'ASSURED' | did you mean 'assured'?");
}
