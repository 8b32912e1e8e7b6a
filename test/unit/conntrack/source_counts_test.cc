#include "conntrack/source_counts.h"

#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "support/packet_line.h"

namespace rampart::test {
namespace {

Tuple from(const std::string& address) {
    Tuple tuple;
    const auto parsed = IpAddress::parse(address);
    REQUIRE(parsed);
    tuple.src = parsed->bytes;
    tuple.family = parsed->family;
    return tuple;
}

}  // namespace

TEST_CASE("a source is the first bits of an address") {
    const SourceCounts counts(1000, KeyedHash::from_seed(1));
    const auto source = [&](const std::string& address) {
        return counts.source_of(from(address), 28, 64);
    };
    CHECK(source("10.0.0.1") == source("10.0.0.15"));
    CHECK(source("10.0.0.1") != source("10.0.0.16"));
    CHECK(source("2001:db8::1") == source("2001:db8::ffff"));
    CHECK(source("2001:db8::1") != source("2001:db8:0:1::1"));
    CHECK(source("10.0.0.0") != source("a00::"));
}

TEST_CASE("no source has more flows than it may, and what ends makes room") {
    using Added = SourceCounts::Added;
    SourceCounts counts(1000, KeyedHash::from_seed(1));
    REQUIRE(counts.make_ready());
    const uint64_t one = counts.source_of(from("10.0.0.1"), 32, 64);
    const uint64_t two = counts.source_of(from("10.0.0.2"), 32, 64);
    uint32_t at_one = 0, at_two = 0, nowhere = 0;
    for (int i = 0; i < 3; ++i)
        CHECK(counts.try_add(one, 3, at_one) == Added::Counted);
    CHECK(counts.try_add(one, 3, nowhere) == Added::Refused);
    CHECK(nowhere == 0);
    CHECK(counts.try_add(two, 3, at_two) == Added::Counted);
    CHECK(at_one != 0);
    CHECK(at_two != 0);
    CHECK(at_one != at_two);
    counts.remove(at_one);
    CHECK(counts.count_of(one) == 2);
    CHECK(counts.try_add(one, 3, at_one) == Added::Counted);
    for (int i = 0; i < 3; ++i)
        counts.remove(at_one);
    counts.remove(at_two);
    CHECK(counts.count_of(one) == 0);
    CHECK(counts.count_of(two) == 0);
}

TEST_CASE("as many sources as flows find room") {
    // No power of two: every bucket is used all the same.
    constexpr uint32_t kFlows = 100000;
    SourceCounts counts(kFlows, KeyedHash::from_seed(1));
    CHECK(counts.bytes() == kFlows * 16);
    REQUIRE(counts.make_ready());
    uint32_t uncounted = 0, place = 0;
    for (uint32_t i = 0; i < kFlows; ++i) {
        Tuple tuple = from("10.0.0.0");
        tuple.src[1] = static_cast<uint8_t>(i >> 16);
        tuple.src[2] = static_cast<uint8_t>(i >> 8);
        tuple.src[3] = static_cast<uint8_t>(i);
        const uint64_t source = counts.source_of(tuple, 32, 64);
        const auto added = counts.try_add(source, 1, place);
        uncounted += added == SourceCounts::Added::Uncounted;
        if (i % 1000 == 0)
            CHECK(counts.count_of(source) == (added == SourceCounts::Added::Counted));
    }
    // Four of eight words are taken on average: few buckets (Poisson, 2 %) see a ninth source.
    CHECK(uncounted < kFlows / 50);
}

TEST_CASE("workers count the same sources at the same time") {
    SourceCounts counts(64, KeyedHash::from_seed(1));
    REQUIRE(counts.make_ready());
    std::vector<uint64_t> sources;
    for (int i = 0; i < 8; ++i)
        sources.push_back(counts.source_of(from("10.0.0." + std::to_string(i)), 32, 64));
    const auto work = [&] {
        uint32_t place = 0;
        for (int round = 0; round < 20000; ++round)
            for (const uint64_t source : sources)
                if (counts.try_add(source, 4, place) == SourceCounts::Added::Counted &&
                    round % 100 != 0)
                    counts.remove(place);
                else if (counts.count_of(source) > 4)
                    std::abort();
    };
    std::thread first(work), second(work);
    first.join();
    second.join();
    for (const uint64_t source : sources) {
        CHECK(counts.count_of(source) >= 1);
        CHECK(counts.count_of(source) <= 8);
    }
}

}  // namespace rampart::test
