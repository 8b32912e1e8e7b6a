#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("frag tells datagrams that came in fragments") {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    sample.packet.is_datagram = true;
    CHECK(RuleBench("{ frag: true }", "frag").matches(sample));
    CHECK_FALSE(RuleBench("{ frag: false }", "frag").matches(sample));
    sample.packet.is_datagram = false;
    CHECK(RuleBench("{ frag: false }", "frag").matches(sample));
    CHECK(RuleBench("{ frag: yes }", "frag").problem() == "E005 'frag' is true or false");
}
