#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("each state matches exactly its class") {
    for (unsigned wanted = 0; wanted < kCtClassCount; ++wanted) {
        const RuleBench bench("{ state: " + std::string(kCtClassNames[wanted]) + " }", "state");
        for (unsigned actual = 0; actual < kCtClassCount; ++actual) {
            Sample sample = tcp("10.0.0.1", 1, "10.0.0.2", 2);
            sample.ct_class = static_cast<CtClass>(actual);
            CHECK(bench.matches(sample) == (wanted == actual));
        }
    }
}

TEST_CASE("a list of states is an OR") {
    const RuleBench bench("{ state: [related, established] }", "state");
    Sample sample = tcp("10.0.0.1", 1, "10.0.0.2", 2);
    sample.ct_class = CtClass::Related;
    CHECK(bench.matches(sample));
    sample.ct_class = CtClass::New;
    CHECK_FALSE(bench.matches(sample));
    CHECK(bench.print() == "[established, related]");
}

TEST_CASE("a misspelt state is an error with a hint") {
    CHECK(RuleBench("{ state: [established, realted] }", "state").problem() ==
          "E007 unknown state 'realted' | did you mean 'related'?");
    CHECK(RuleBench("{ state: NEW }", "state").problem() ==
          "E007 unknown state 'NEW' | did you mean 'new'?");
    CHECK(RuleBench("{ state: \"new,related\" }", "state").problem() ==
          "E007 unknown state 'new,related' | write a list: [a, b]");
}
