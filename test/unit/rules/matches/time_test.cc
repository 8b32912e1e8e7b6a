#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

constexpr uint64_t kSecond_ns = 1'000'000'000;

// Saturday, 21 November 2026, at this time of day.
Sample at(uint64_t hour, uint64_t minute = 0, uint64_t second = 0) {
    Sample sample = tcp("10.0.0.1", 4000, "10.0.0.2", 22);
    sample.wall_ns = (1795219200 + hour * 3600 + minute * 60 + second) * kSecond_ns;
    return sample;
}

RuleBench bench(const std::string& value) {
    return RuleBench("{ time: { " + value + " } }", "time");
}

}  // namespace

TEST_CASE("a time of day includes both ends and may go past midnight") {
    const RuleBench office = bench("start: \"08:00\", stop: \"18:00\"");
    CHECK(office.matches(at(8)));
    CHECK(office.matches(at(18)));
    CHECK_FALSE(office.matches(at(18, 0, 1)));
    CHECK_FALSE(office.matches(at(7, 59, 59)));
    const RuleBench night = bench("start: \"22:00\", stop: \"06:00\"");
    CHECK(night.matches(at(23)));
    CHECK(night.matches(at(5)));
    CHECK_FALSE(night.matches(at(12)));
}

TEST_CASE("days of the week, of the month, and dates") {
    CHECK(bench("days: [sat, sun]").matches(at(0)));
    CHECK(bench("days: sun").matches(at(24)));
    CHECK_FALSE(bench("days: [mon, tue, wed, thu, fri]").matches(at(12)));
    CHECK(bench("month_days: [1, 20-22]").matches(at(12)));
    CHECK_FALSE(bench("month_days: [1, 22]").matches(at(12)));
    CHECK(bench("month_days: 22").matches(at(24)));
    CHECK(bench("month_days: 1").matches(at(24 * 10)));
    CHECK(bench("from: \"2026-11-21T12:00\", until: \"2026-11-22\"").matches(at(13)));
    CHECK_FALSE(bench("from: \"2026-11-21T12:00\"").matches(at(11)));
    CHECK_FALSE(bench("until: \"2026-11-21\"").matches(at(1)));
}

TEST_CASE("a leap day is the 29th") {
    Sample sample = at(0);
    sample.wall_ns = 1835395200 * kSecond_ns;  // 29 February 2028
    CHECK(bench("month_days: 29").matches(sample));
}

TEST_CASE("time prints what it parses") {
    CHECK(bench("stop: \"18:00\", days: [fri, mon]").print() ==
          "{ stop: \"18:00\", days: [mon, fri] }");
}

TEST_CASE("bad times are explained") {
    CHECK(bench("start: \"25:00\"").problem().starts_with("E005 '25:00' is no time of day"));
    CHECK(bench("start: 8").problem().starts_with("E005"));
    CHECK(bench("from: \"21.11.2026\"").problem().starts_with("E005"));
    CHECK(bench("begin: \"08:00\"").problem().starts_with("E002"));
    CHECK(bench("days: monday").problem().starts_with("E007"));
    CHECK(bench("month_days: 32").problem().starts_with("E005"));
    CHECK_FALSE(RuleBench("{ time: \"08:00\" }", "time").is_parsed());
}
