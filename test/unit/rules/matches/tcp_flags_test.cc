#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

Sample with_flags(uint8_t flags) {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    sample.packet.is_icmp_error = false;
    sample.packet.tcp_flags = flags;
    return sample;
}

}  // namespace

TEST_CASE("tcp_flags compares the examined flags with those that are to be set") {
    using namespace tcp_flag;
    const RuleBench bench("{ proto: tcp, tcp_flags: \"syn/syn,rst\" }", "tcp_flags");
    CHECK(bench.matches(with_flags(kSyn)));
    CHECK(bench.matches(with_flags(kSyn | kAck)));
    CHECK_FALSE(bench.matches(with_flags(kSyn | kRst)));
    CHECK_FALSE(bench.matches(with_flags(kAck)));
    const RuleBench null("{ proto: tcp, tcp_flags: none/all }", "tcp_flags");
    CHECK(null.matches(with_flags(0)));
    CHECK(null.matches(with_flags(kEce)));
    CHECK_FALSE(null.matches(with_flags(kFin)));
}

TEST_CASE("syn alone is the first segment of a connection") {
    using namespace tcp_flag;
    const RuleBench bench("{ proto: tcp, tcp_flags: syn }", "tcp_flags");
    CHECK(bench.matches(with_flags(kSyn)));
    CHECK(bench.matches(with_flags(kSyn | kEce | kCwr)));
    CHECK_FALSE(bench.matches(with_flags(kSyn | kAck)));
    CHECK(bench.print() == "syn");
}

TEST_CASE("tcp_flags prints what it parses") {
    const RuleBench bench("{ proto: tcp, tcp_flags: \"ack,syn/rst,syn,ack\" }", "tcp_flags");
    CHECK(bench.print() == "\"syn,ack/syn,rst,ack\"");
    CHECK(RuleBench("{ proto: tcp, tcp_flags: none/syn }", "tcp_flags").print() == "none/syn");
}

TEST_CASE("bad tcp_flags are explained") {
    CHECK(RuleBench("{ tcp_flags: syn }", "tcp_flags").problem() ==
          "E015 'tcp_flags' needs 'proto: tcp' in the same rule");
    CHECK(RuleBench("{ proto: tcp, tcp_flags: SYN/ACK }", "tcp_flags").problem() ==
          "E007 unknown TCP flag 'SYN' | did you mean 'syn'?");
    for (const char* bad : {"fin", "rst/syn", "\"syn,\"", "\"\"", "syn/", "syn/syn/syn"}) {
        CAPTURE(bad);
        const RuleBench bench("{ proto: tcp, tcp_flags: " + std::string(bad) + " }", "tcp_flags");
        CHECK_FALSE(bench.is_parsed());
        CHECK(bench.problem().starts_with("E007"));
    }
}
