// Paths count each rule on the way exactly, also when the table is full.
#include "rules/path_table.h"

#include <random>

#include <catch2/catch.hpp>

namespace rampart::test {

TEST_CASE("a path counts every rule on its way once") {
    PathTable table(10);
    const PathId jump = table.find_or_add(kRootPath, 3, Step::Jump, RejectWith::None);
    const PathId accept = table.find_or_add(jump, 7, Step::Accept, RejectWith::None);
    const PathId drop = table.find_or_add(kRootPath, 9, Step::Drop, RejectWith::None);
    table.count(accept, 2, 200);
    table.count(drop, 1, 60);
    table.count_direct(7, 5, 500);
    std::vector<RuleCount> counts(10);
    table.add_up(counts);
    CHECK(counts[3].packets == 2);
    CHECK(counts[3].bytes == 200);
    CHECK(counts[7].packets == 7);
    CHECK(counts[7].bytes == 700);
    CHECK(counts[9].packets == 1);
    CHECK(counts[0].packets == 0);
}

TEST_CASE("the same rules in the same order are one path, in another order another") {
    PathTable table(10);
    const PathId a = table.find_or_add(kRootPath, 1, Step::Continue, RejectWith::None);
    const PathId b = table.find_or_add(kRootPath, 2, Step::Continue, RejectWith::None);
    const PathId ab = table.find_or_add(a, 2, Step::Accept, RejectWith::None);
    CHECK(table.find_or_add(kRootPath, 1, Step::Continue, RejectWith::None) == a);
    CHECK(table.find_or_add(a, 2, Step::Accept, RejectWith::None) == ab);
    CHECK(table.find_or_add(b, 1, Step::Accept, RejectWith::None) != ab);
    CHECK(table.node(ab).step == Step::Accept);
    CHECK(table.node(ab).parent.load() == a);
    CHECK(table.node(ab).rule.load() == 2);
}

TEST_CASE("a full table adds no path but finds those it has") {
    for (const uint32_t capacity : {1u, 2u, 3u, 100u}) {
        PathTable table(1000, capacity);
        std::vector<PathId> paths;
        for (RuleIndex rule = 0; rule < 1000; ++rule)
            paths.push_back(table.find_or_add(kRootPath, rule, Step::Accept, RejectWith::None));
        for (RuleIndex rule = 0; rule < 1000; ++rule) {
            const bool has_room = rule + 1 < capacity;  // the root takes one place
            CHECK((paths[rule] != kNoPath) == has_room);
            CHECK(table.find_or_add(kRootPath, rule, Step::Accept, RejectWith::None) ==
                  paths[rule]);
        }
    }
}

TEST_CASE("random paths add up to a plain count") {
    std::mt19937_64 random(4);
    PathTable table(50, 4096);
    std::vector<RuleCount> expected(50);
    for (unsigned round = 0; round < 3000; ++round) {
        PathId path = kRootPath;
        const uint64_t packets = random() % 5, bytes = random() % 1000;
        RuleIndex rule = 0;
        for (unsigned length = 1 + random() % 4; length > 0 && rule < 50; --length) {
            path = table.find_or_add(path, rule, Step::Continue, RejectWith::None);
            REQUIRE(path != kNoPath);
            expected[rule].packets += packets;
            expected[rule].bytes += bytes;
            rule += 1 + static_cast<RuleIndex>(random() % 8);
        }
        table.count(path, packets, bytes);
    }
    std::vector<RuleCount> counts(50);
    table.add_up(counts);
    for (size_t rule = 0; rule < counts.size(); ++rule) {
        CHECK(counts[rule].packets == expected[rule].packets);
        // add_up() skips paths without packets, and with them their bytes.
        CHECK(counts[rule].bytes <= expected[rule].bytes);
    }
}

}  // namespace rampart::test
