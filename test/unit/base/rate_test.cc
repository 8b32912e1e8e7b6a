#include "base/rate.h"

#include <catch2/catch.hpp>

using namespace rampart;

TEST_CASE("a rate is a number of events per unit, and a burst") {
    CHECK(parse_rate("10/second") == Rate{10, 1, 5});
    CHECK(parse_rate("5/minute burst 10") == Rate{5, 60, 10});
    CHECK(parse_rate("1/day burst 1") == Rate{1, 86400, 1});
    for (const char* text :
         {"", "10", "10/", "/second", "0/second", "10/sec", "10/s", "10 /second", "10/second burst",
          "10/second burst 0", "10/second  burst 5", "010/second", "10/second burst 5 ",
          "2000000/second", "10/seconds", "1/day burst 1000000"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_rate(text));
    }
    for (const char* text : {"10/second burst 5", "5/minute burst 10", "3/hour burst 1"})
        CHECK(format_rate(*parse_rate(text)) == text);
}

TEST_CASE("a shared rate allows its burst at once and then one event per interval") {
    SharedRate rate(*parse_rate("2/second burst 3"));
    constexpr uint64_t kSecond_ns = 1'000'000'000;
    uint64_t now = 7 * kSecond_ns;
    unsigned taken = 0;
    for (int i = 0; i < 10; ++i)
        taken += rate.take(now);
    CHECK(taken == 3);
    CHECK_FALSE(rate.take(now + kSecond_ns / 2 - 1));
    CHECK(rate.take(now + kSecond_ns / 2));
    CHECK_FALSE(rate.take(now + kSecond_ns / 2));
    // What is not used for long is not more than the burst.
    now += 100 * kSecond_ns;
    for (int i = 0; i < 10; ++i)
        taken += rate.take(now);
    CHECK(taken == 6);
}
