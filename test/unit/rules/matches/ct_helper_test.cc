#include <catch2/catch.hpp>

#include "conntrack/helper_names.h"
#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

TEST_CASE("ct_helper compares the helper's number") {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    const RuleBench ftp("{ ct_helper: ftp }", "ct_helper");
    const RuleBench list("{ ct_helper: [sip, pptp] }", "ct_helper");
    CHECK_FALSE(ftp.matches(sample));
    sample.helper = helper_number::kFtp;
    CHECK(ftp.matches(sample));
    CHECK_FALSE(list.matches(sample));
    sample.helper = helper_number::kPptp;
    CHECK(list.matches(sample));
    CHECK_FALSE(ftp.matches(sample));
    CHECK(list.print() == "[sip, pptp]");
    CHECK(RuleBench("{ ct_helper: fpt }", "ct_helper").problem() ==
          "E007 unknown helper 'fpt' | did you mean 'ftp'?");
}
