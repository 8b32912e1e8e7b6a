// Buckets against exact arithmetic, and against each other from several threads.
#include "rules/token_buckets.h"

#include <map>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace rampart::test {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

LimitTerms limit_of(std::string_view text) {
    const auto limit = parse_limit_terms(text);
    REQUIRE(limit);
    return *limit;
}

// The textbook's bucket, in rational numbers: tokens times the period.
class Oracle {
  public:
    explicit Oracle(const LimitTerms& limit) : limit_(limit), filled_(full()) {}
    __extension__ typedef __int128 Exact;
    bool take(uint64_t now_ns, uint64_t amount) {
        filled_ = std::min(full(), filled_ + Exact{1} * (now_ns - last_) * limit_.rate.amount);
        last_ = now_ns;
        const Exact cost = Exact{1} * amount * limit_.rate.period_s * kSecond;
        if (filled_ < cost) return false;
        filled_ -= cost;
        return true;
    }

  private:
    Exact full() const { return Exact{1} * limit_.burst * limit_.rate.period_s * kSecond; }
    LimitTerms limit_;
    Exact filled_;
    uint64_t last_ = kSecond;
};

uint64_t taken_at(TokenBuckets& buckets, uint64_t key, uint64_t now_ns, unsigned packets) {
    uint64_t taken = 0;
    for (unsigned i = 0; i < packets; ++i)
        taken += buckets.take(key, now_ns, 1);
    return taken;
}

}  // namespace

TEST_CASE("a burst passes at once, then one packet per interval") {
    for (const uint32_t max_keys : {0u, 8u}) {
        TokenBuckets buckets(limit_of("1/minute burst 3"), max_keys);
        uint64_t now = kSecond;
        CHECK(taken_at(buckets, 7, now, 10) == 3);
        CHECK(taken_at(buckets, 7, now += 60 * kSecond - 1, 10) == 0);
        CHECK(taken_at(buckets, 7, now += 1, 10) == 1);
        CHECK(taken_at(buckets, 7, now += 120 * kSecond, 10) == 2);
        CHECK(taken_at(buckets, 7, now += 86400 * kSecond, 10) == 3);
    }
}

TEST_CASE("a bucket agrees with exact arithmetic") {
    std::mt19937_64 random(3);
    for (const char* text :
         {"10/second burst 20", "3/second", "7/minute burst 2", "1000000/second burst 50",
          "1MB/second", "5KB/minute burst 9KB", "1GB/second burst 2MB"}) {
        const LimitTerms limit = limit_of(text);
        INFO(text);
        TokenBuckets buckets(limit, 0);
        Oracle oracle(limit);
        const double mean_ns = 1e9 * limit.rate.period_s / static_cast<double>(limit.rate.amount) *
                               (limit.rate.in_bytes ? 800 : 1);
        std::exponential_distribution<double> pause(1 / mean_ns);
        uint64_t now = kSecond, taken = 0, wanted = 0;
        for (unsigned i = 0; i < 20000; ++i) {
            if (random() % 100 == 0) now += static_cast<uint64_t>(mean_ns * 50);
            now += static_cast<uint64_t>(pause(random));
            const uint64_t amount = limit.rate.in_bytes ? 40 + random() % 1460 : 1;
            taken += buckets.take(0, now, amount);
            wanted += oracle.take(now, amount);
            // Costs are rounded up by at most 1/16 ns: one packet, and never above the rate.
            REQUIRE(taken <= wanted);
            REQUIRE(taken + 1 + i / 4000 >= wanted);
        }
        CHECK(taken > 8000);
    }
}

TEST_CASE("each key has a bucket of its own") {
    TokenBuckets buckets(limit_of("1/minute burst 2"), 1000);
    std::mt19937_64 random(4);
    std::map<uint64_t, uint64_t> now_of;
    for (unsigned i = 0; i < 500; ++i)
        now_of[random()] = kSecond;
    for (int round = 0; round < 2; ++round)
        for (const auto& [key, now] : now_of)
            REQUIRE(buckets.take(key, now, 1));
    for (const auto& [key, now] : now_of)
        REQUIRE_FALSE(buckets.take(key, now, 1));
    CHECK(buckets.used_keys(kSecond) == 500);
    CHECK(buckets.used_keys(kSecond + 119 * kSecond) == 500);
    CHECK(buckets.used_keys(kSecond + 120 * kSecond) == 0);
    CHECK(buckets.without_room() == 0);
}

TEST_CASE("a full table refuses new keys, counts them, and lets idle keys go") {
    TokenBuckets buckets(limit_of("1/second burst 1"), 4);  // eight cells in two lines
    std::mt19937_64 random(5);
    uint64_t refused = 0;
    for (unsigned i = 0; i < 100; ++i)
        refused += !buckets.take(random(), kSecond, 1);
    CHECK(refused >= 92);
    CHECK(buckets.without_room() == refused);
    CHECK(buckets.used_keys(kSecond) == 100 - refused);
    // All are full again: nothing is lost by forgetting them.
    const uint64_t later = kSecond + 2 * kSecond;
    CHECK(buckets.take(random(), later, 1));
    CHECK(buckets.without_room() == refused);
}

TEST_CASE("hardly a key finds no room in a table that is not fuller than it may be") {
    constexpr uint32_t kMax = 65536;
    TokenBuckets buckets(limit_of("1/day burst 1"), kMax);
    std::mt19937_64 random(6);
    for (uint32_t i = 0; i < kMax; ++i)
        buckets.take(random(), kSecond, 1);
    CHECK(buckets.without_room() < kMax / 500);
    CHECK(buckets.used_keys(kSecond) + buckets.without_room() == kMax);
}

TEST_CASE("threads that share buckets never get more than the rate and the burst") {
    // Few cells and many keys: they are claimed, confirmed and forgotten all the time.
    constexpr unsigned kThreads = 4, kKeys = 24, kTurns = 40000;
    const LimitTerms limit = limit_of("50/second burst 10");
    for (const uint32_t max_keys : {0u, 8u}) {
        TokenBuckets buckets(limit, max_keys);
        std::vector<std::vector<uint64_t>> taken(kThreads, std::vector<uint64_t>(kKeys));
        const auto work = [&](unsigned thread) {
            std::mt19937_64 random(thread);
            for (uint64_t turn = 0; turn < kTurns; ++turn) {
                // 100 s in all; the threads' clocks differ by up to 20 ms.
                const uint64_t now =
                    kSecond + turn * (100 * kSecond / kTurns) + random() % 20'000'000;
                const uint64_t key = max_keys == 0 ? 0 : random() % kKeys;
                taken[thread][key] += buckets.take(key * 0x9e3779b97f4a7c15 + 2, now, 1);
            }
        };
        std::vector<std::thread> threads;
        for (unsigned thread = 0; thread < kThreads; ++thread)
            threads.emplace_back(work, thread);
        for (std::thread& thread : threads)
            thread.join();
        uint64_t sum = 0;
        for (unsigned key = 0; key < kKeys; ++key) {
            uint64_t of_key = 0;
            for (unsigned thread = 0; thread < kThreads; ++thread)
                of_key += taken[thread][key];
            CHECK(of_key <= 10 + 50 * 100 + 2);
            sum += of_key;
        }
        CHECK(sum > 1000);
    }
}

TEST_CASE("a key that several threads bring at once gets one bucket") {
    constexpr unsigned kThreads = 4, kKeys = 20000;
    TokenBuckets buckets(limit_of("1/day burst 3"), 2 * kKeys);
    std::vector<std::vector<uint8_t>> taken(kThreads, std::vector<uint8_t>(kKeys));
    std::atomic<unsigned> ready{0};
    const auto work = [&](unsigned thread) {
        ++ready;
        while (ready.load() != kThreads) {
        }
        for (unsigned key = 0; key < kKeys; ++key)
            for (int i = 0; i < 2; ++i)
                taken[thread][key] = static_cast<uint8_t>(
                    taken[thread][key] + buckets.take((key + 1) * 0x9e3779b97f4a7c15, kSecond, 1));
    };
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < kThreads; ++thread)
        threads.emplace_back(work, thread);
    for (std::thread& thread : threads)
        thread.join();
    unsigned without_room = 0;
    for (unsigned key = 0; key < kKeys; ++key) {
        unsigned sum = 0;
        for (unsigned thread = 0; thread < kThreads; ++thread)
            sum += taken[thread][key];
        REQUIRE(sum <= 3);
        without_room += sum != 3;
    }
    CHECK(without_room <= buckets.without_room());
}

}  // namespace rampart::test
