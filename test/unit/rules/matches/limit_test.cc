#include "rules/matches/limit.h"

#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

std::string printed(const std::string& value) {
    const RuleBench bench("{ limit: " + value + " }", "limit");
    INFO(bench.problem());
    REQUIRE(bench.is_parsed());
    return bench.print();
}

std::string problem(const std::string& value) {
    const RuleBench bench("{ limit: " + value + " }", "limit");
    CHECK_FALSE(bench.is_parsed());
    return bench.problem();
}

}  // namespace

TEST_CASE("a limit is printed as it is written, in the shorter form where that says it all") {
    CHECK(printed("10/second") == "10/second");
    CHECK(printed("10/second burst 20") == "10/second burst 20");
    CHECK(printed("1/day burst 5") == "1/day");
    CHECK(printed("1MB/second burst 4MB") == "1MB/second burst 4MB");
    CHECK(printed("1024KB/minute") == "1MB/minute");
    CHECK(printed("{ rate: 10/minute, burst: 7 }") == "10/minute burst 7");
    CHECK(printed("{ rate: 1/hour, over: true }") == "{ rate: 1/hour, over: true }");
    CHECK(
        printed("{ rate: 200/second, burst: 400, per: [src], mask: 24, mask6: 64, over: true }") ==
        "{ rate: 200/second, burst: 400, per: [src], mask: 24, mask6: 64, over: true }");
    CHECK(printed("{ rate: 2/hour, per: [in, dport, src, dst, sport], max: 10 }") ==
          "{ rate: 2/hour, per: [src, dst, sport, dport, in], max: 10 }");
    CHECK(printed("{ rate: 2/hour, per: src }") == "{ rate: 2/hour, per: [src] }");
}

TEST_CASE("what is printed of a limit reads as the same limit") {
    for (const char* text : {"3/second burst 1000",
                             "{ rate: 64KB/hour, burst: 2000KB, per: [dst], "
                             "mask: 8, over: true, max: 4194304 }"}) {
        const std::string once = printed(text);
        CHECK(printed(once) == once);
    }
}

TEST_CASE("a bad rate is an error that says how rates are written") {
    CHECK(problem("10/s") == "E010 '10/s' is not a rate | write 10/second");
    CHECK(problem("10/min burst 3") == "E010 '10/min burst 3' is not a rate | write 10/minute");
    CHECK(problem("10") ==
          "E010 '10' is not a rate | write 10/second, 10/minute, 10/hour or 10/day");
    CHECK(problem("10/fortnight").ends_with("write 10/second, 10/minute, 10/hour or 10/day"));
    CHECK(problem("0/second").ends_with("a rate is written 10/second, 5/minute or 1MB/second"));
    CHECK(problem("fast").starts_with("E010 'fast' is not a rate"));
    CHECK(problem("-1/second").starts_with("E010"));
    CHECK(problem("10/second burst many").ends_with("write 10/second burst 5"));
    CHECK(problem("10/second burst 0").starts_with("E010"));
    CHECK(problem("10/second burst 1MB").starts_with("E010"));
    CHECK(problem("1MB/second burst 20").starts_with("E010"));
    CHECK(problem("1MB/second burst 1KB").starts_with("E010 a burst this small"));
    CHECK(problem("100B/second").starts_with("E010"));
    CHECK(problem("1/day burst 2000").starts_with("E010 at this rate the burst takes more"));
    CHECK(problem("99999999999999999999/second").starts_with("E010"));
}

TEST_CASE("the mapping of a limit is checked key by key") {
    CHECK(problem("{ burst: 3 }") == "E006 'limit' has no 'rate' | rate: 10/second");
    CHECK(problem("{ rate: 1/second, burst: 1MB }") ==
          "E010 '1MB' is not a burst of packets | burst: 20");
    CHECK(problem("{ rate: 1/second, brust: 1 }").starts_with("E002 unknown key 'brust'"));
    CHECK(problem("{ rate: 1/second, over: yes }") == "E005 'over' is true or false");
    CHECK(problem("{ rate: 1/second, per: [srcip] }").starts_with("E007"));
    CHECK(problem("{ rate: 1/second, per: [] }").starts_with("E005"));
    CHECK(problem("{ rate: 1/second, per: [src], mask: 33 }") ==
          "E005 'mask' is a number from 0 to 32");
    CHECK(problem("{ rate: 1/second, per: [src], mask6: 129 }") ==
          "E005 'mask6' is a number from 0 to 128");
    CHECK(problem("{ rate: 1/second, per: [dport], mask: 24 }") ==
          "E016 'mask' needs an address to shorten | write  per: [src]");
    CHECK(problem("{ rate: 1/second, max: 5 }") ==
          "E016 'max' needs keys to bound | write  per: [src]");
    CHECK(problem("{ rate: 1/second, per: [src], max: 0 }").starts_with("E005 'max' is a number"));
    CHECK(problem("[ 1/second ]").starts_with("E005 'limit' takes a rate or a mapping"));
}

TEST_CASE("the key of a packet is what the rule names, by family and behind the mask") {
    const KeyedHash hash = KeyedHash::from_seed(1);
    const auto key = [&](KeyFields fields, Sample sample) {
        return fields.key_of(sample.input(), hash);
    };
    const KeyFields by_net{.fields = KeyFields::Src, .mask4 = 20, .mask6 = 60};
    const Sample one = tcp("10.0.0.1", 4000, "192.0.2.1", 80);
    CHECK(key(by_net, one) == key(by_net, tcp("10.0.15.255", 5000, "192.0.2.2", 81)));
    CHECK(key(by_net, one) != key(by_net, tcp("10.0.16.0", 4000, "192.0.2.1", 80)));
    CHECK(key(by_net, tcp("2001:db8::1", 1, "2001:db8::2", 2)) ==
          key(by_net, tcp("2001:db8:0:f::1", 1, "2001:db8::2", 2)));
    CHECK(key(by_net, tcp("2001:db8::1", 1, "2001:db8::2", 2)) !=
          key(by_net, tcp("2001:db8:0:10::1", 1, "2001:db8::2", 2)));
    const KeyFields everything{.fields = 31, .mask4 = 0, .mask6 = 0};
    CHECK(key(everything, one) == key(everything, tcp("10.9.9.9", 4000, "198.51.100.1", 80)));
    CHECK(key(everything, one) != key(everything, tcp("10.0.0.1", 4001, "192.0.2.1", 80)));
    CHECK(key(everything, one) != key(everything, tcp("10.0.0.1", 4000, "192.0.2.1", 81)));
    CHECK(key(everything, one) != key(everything, tcp("2001:db8::1", 4000, "2001:db8::2", 80)));
    Sample elsewhere = one;
    elsewhere.in = 1;
    CHECK(key(everything, one) != key(everything, elsewhere));
    // An ICMP identifier is no port.
    const KeyFields by_port{.fields = KeyFields::Sport};
    CHECK(key(by_port, icmp("10.0.0.1", "10.0.0.2", 8, 0)) ==
          key(by_port, packet_between("10.0.0.3", "10.0.0.4", 1, 99, 2048)));
}
