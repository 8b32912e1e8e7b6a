#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("ct_mark compares the mark of the flow and needs one") {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    const RuleBench bench("{ ct_mark: 0x10/0xf0 }", "ct_mark");
    CHECK_FALSE(bench.matches(sample));
    CHECK_FALSE(RuleBench("{ ct_mark: 0 }", "ct_mark").matches(sample));
    Flow flow;
    flow.mark.store(0x13);
    sample.flow = &flow;
    CHECK(bench.matches(sample));
    CHECK_FALSE(RuleBench("{ ct_mark: 0x10 }", "ct_mark").matches(sample));
}

TEST_CASE("ct_mark has no meaning before connection tracking") {
    CHECK((find_match_type("ct_mark")->hooks & static_cast<HookMask>(Hook::Raw)) == 0);
}
