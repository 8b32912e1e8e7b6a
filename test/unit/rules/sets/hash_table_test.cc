#include "rules/sets/hash_table.h"

#include <map>
#include <random>

#include <catch2/catch.hpp>

#include "rules/sets/direct_table.h"

using namespace rampart;

namespace {

SetKey key_of(uint64_t number) {
    SetKey key;
    key.words = {number, number * 3, number & 7, 0, 0};
    return key;
}

HashTable table_of(uint32_t max, bool hides_expired = true) {
    return HashTable({.max = max, .words = 3, .hides_expired = hides_expired},
                     KeyedHash::from_seed(1));
}

bool has(const HashTable& table, uint64_t number, Tick now = 1) {
    return table.find(key_of(number), now) != HashTable::kNoSlot;
}

}  // namespace

TEST_CASE("a hash table answers as a map of keys and deadlines does") {
    std::mt19937_64 random(1);
    HashTable table = table_of(400);
    std::map<uint64_t, Tick> oracle;
    Tick now = 1;
    const auto forget = [&] {
        std::erase_if(oracle, [&](const auto& entry) {
            return entry.second != kNoDeadline && is_past(entry.second, now);
        });
    };
    for (int step = 0; step < 60000; ++step) {
        const uint64_t number = random() % 300;
        switch (random() % 4) {
            case 0:
            case 1: {
                const Tick deadline =
                    random() % 3 == 0 ? kNoDeadline : now + 1 + static_cast<Tick>(random() % 50);
                const bool was_in = oracle.contains(number);
                const Addition addition = table.add(key_of(number), deadline, now, true);
                REQUIRE(addition == (was_in ? Addition::Refreshed : Addition::Added));
                Tick& known = oracle.try_emplace(number, deadline).first->second;
                if (known != kNoDeadline) known = deadline;
                break;
            }
            case 2:
                table.remove(key_of(number));
                oracle.erase(number);
                break;
            default:
                now += static_cast<Tick>(random() % 3);
                forget();
                if (random() % 16 == 0) table.sweep(0, table.slots(), now);
        }
        for (int i = 0; i < 4; ++i) {
            const uint64_t probe = random() % 300;
            REQUIRE(has(table, probe, now) == oracle.contains(probe));
        }
    }
    table.sweep(0, table.slots(), now);
    CHECK(table.size() == oracle.size());
    size_t listed = 0;
    for (uint32_t slot = 0; slot < table.slots(); ++slot) {
        const auto entry = table.entry(slot);
        if (!entry) continue;
        ++listed;
        const auto known = oracle.find(entry->key.words[0]);
        REQUIRE(known != oracle.end());
        CHECK(entry->deadline == known->second);
    }
    CHECK(listed == oracle.size());
}

TEST_CASE("a hash table takes as many elements as it may have, and no more") {
    for (const uint32_t max : {1u, 7u, 1000u, 50000u}) {
        HashTable table = table_of(max);
        for (uint64_t i = 0; i < max; ++i)
            REQUIRE(table.add(key_of(i), kNoDeadline, 1, true) == Addition::Added);
        CHECK(table.add(key_of(max), kNoDeadline, 1, true) == Addition::Refused);
        CHECK(table.size() == max);
        for (uint64_t i = 0; i < max; ++i)
            REQUIRE(has(table, i));
        CHECK(table.remove(key_of(0)));
        CHECK_FALSE(table.remove(key_of(0)));
        CHECK(table.add(key_of(max), kNoDeadline, 1, true) == Addition::Added);
        table.clear();
        CHECK(table.size() == 0);
    }
}

TEST_CASE("expired elements make room") {
    HashTable table = table_of(100);
    for (uint64_t i = 0; i < 100; ++i)
        REQUIRE(table.add(key_of(i), 10, 1, true) == Addition::Added);
    CHECK(table.add(key_of(1000), 30, 9, true) == Addition::Refused);
    CHECK_FALSE(has(table, 5, 10));
    CHECK(table.sweep(0, table.slots(), 10) == 100);
    CHECK(table.add(key_of(1000), 30, 10, true) == Addition::Added);
    CHECK(table.size() == 1);
}

TEST_CASE("a table whose elements only control forgets finds what is overdue") {
    HashTable table = table_of(100, false);
    table.add(key_of(1), 10, 1, true);
    CHECK(has(table, 1, 11));
    table.sweep(0, table.slots(), 11);
    CHECK_FALSE(has(table, 1, 11));
}

TEST_CASE("numbers are in a direct table until their deadline") {
    DirectTable table(64, true, true);
    CHECK(table.add(5, 10, 1, true) == Addition::Added);
    CHECK(table.add(5, 20, 2, true) == Addition::Refreshed);
    CHECK(table.find(5, 19));
    CHECK_FALSE(table.find(5, 20));
    CHECK(table.add(6, kNoDeadline, 1, false) == Addition::Added);
    CHECK(table.add(6, 30, 1, true) == Addition::Refreshed);
    table.count(6, 100);
    CHECK(table.sweep(0, 64, 1000) == 1);
    CHECK(table.find(6, 1000));
    CHECK(table.entry(6).bytes == 100);
    CHECK(table.size() == 1);
    CHECK(table.remove(6));
    CHECK_FALSE(table.remove(6));
    CHECK(table.size() == 0);
}
