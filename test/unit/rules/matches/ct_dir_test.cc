#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("ct_dir matches the side of the connection") {
    Sample sample = tcp("10.0.0.1", 1, "10.0.0.2", 2);
    const RuleBench original("{ ct_dir: original }", "ct_dir");
    const RuleBench reply("{ ct_dir: reply }", "ct_dir");
    CHECK(original.matches(sample));
    CHECK_FALSE(reply.matches(sample));
    sample.direction = Direction::Reply;
    CHECK_FALSE(original.matches(sample));
    CHECK(reply.matches(sample));
}

TEST_CASE("a packet without a connection has no direction") {
    for (const CtClass ct_class : {CtClass::Invalid, CtClass::Untracked}) {
        Sample sample = tcp("10.0.0.1", 1, "10.0.0.2", 2);
        sample.ct_class = ct_class;
        CHECK_FALSE(RuleBench("{ ct_dir: [original, reply] }", "ct_dir").matches(sample));
    }
}

TEST_CASE("ct_dir is printed in the language's words") {
    CHECK(RuleBench("{ ct_dir: reply }", "ct_dir").print() == "reply");
}
