// Sets that several threads read and change at once; what the thread sanitizer runs.
#include <thread>

#include <catch2/catch.hpp>

#include "rules/sets/named_set.h"
#include "rules/sets/set_use.h"
#include "support/load.h"
#include "support/packet_line.h"
#include "support/worker_bed.h"

namespace rampart::test {
namespace {

SetKey key_of(uint64_t number) {
    SetKey key;
    key.words = {number, ~number, 4, 0, 0};
    return key;
}

SetElement element_of(const NamedSet& set, const std::string& text) {
    std::vector<SetElement> elements;
    REQUIRE_FALSE(parse_set_element(set.type(), text, Names{}, elements));
    return elements.front();
}

}  // namespace

TEST_CASE("threads that add the same keys at once leave each in once") {
    for (int round = 0; round < 20; ++round) {
        HashTable table({.max = 4000, .words = 3}, KeyedHash::from_seed(3));
        std::atomic<uint32_t> refused{0};
        const auto add_all = [&](uint64_t first, int step) {
            for (uint64_t i = 0; i < 3000; ++i) {
                const uint64_t number = (first + static_cast<uint64_t>(step + 3000) * i) % 3000;
                if (table.add(key_of(number), kNoDeadline, 1, true) == Addition::Refused) ++refused;
                if (table.find(key_of(number), 1) == HashTable::kNoSlot) ++refused;
            }
        };
        std::thread one(add_all, 0, 1), two(add_all, 0, 1), three(add_all, 2999, -1);
        one.join();
        two.join();
        three.join();
        CHECK(refused == 0);
        REQUIRE(table.size() == 3000);
        std::vector<bool> seen(3000);
        for (uint32_t slot = 0; slot < table.slots(); ++slot) {
            const auto entry = table.entry(slot);
            if (!entry) continue;
            REQUIRE_FALSE(seen[entry->key.words[0]]);
            seen[entry->key.words[0]] = true;
        }
    }
}

TEST_CASE("a key that is looked for is never mistaken while slots change hands") {
    HashTable table({.max = 64, .words = 3}, KeyedHash::from_seed(4));
    // Even keys come and go; odd ones never were.
    std::atomic<bool> is_over{false};
    std::atomic<uint64_t> wrong{0};
    const auto churn = [&](uint64_t first) {
        for (uint64_t i = 0; i < 60000; ++i) {
            const uint64_t number = (first + i * 7) % 512 * 2;
            table.add(key_of(number), i % 3 == 0 ? kNoDeadline : static_cast<Tick>(i % 5 + 2), 1,
                      true);
            table.remove(key_of((first + i * 5) % 512 * 2));
        }
    };
    std::thread reader([&] {
        for (uint64_t i = 0; !is_over.load(); ++i) {
            if (table.find(key_of(i % 512 * 2 + 1), 1) != HashTable::kNoSlot) ++wrong;
            const auto entry = table.entry(static_cast<uint32_t>(i % table.slots()));
            if (entry && entry->key != key_of(entry->key.words[0])) ++wrong;
        }
    });
    std::thread one(churn, 0), two(churn, 100);
    one.join();
    two.join();
    is_over.store(true);
    reader.join();
    CHECK(wrong == 0);
    table.clear();
    CHECK(table.size() == 0);
}

TEST_CASE("workers look prefixes up while control changes them") {
    PrefixTable<uint32_t> table(true);
    RetiredList retired;  // kept until the threads are gone
    // 10.0.0.0/8 is always in, 11.0.0.0/8 never; what changes lies below and beside them.
    table.add({0x0a000000, 1, 8, false}, retired);
    std::atomic<bool> is_over{false};
    std::atomic<uint64_t> wrong{0};
    const auto look = [&] {
        for (uint32_t i = 0; !is_over.load(); i += 977) {
            if (table.find(0x0a000000 | (i & 0xffffff)) == PrefixTable<uint32_t>::kAbsent) ++wrong;
            if (table.find(0x0b000000 | (i & 0xffffff)) != PrefixTable<uint32_t>::kAbsent) ++wrong;
        }
    };
    std::thread one(look), two(look);
    uint64_t state = 1;
    for (int i = 0; i < 6000; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const uint32_t word = 0x0a000000 | (static_cast<uint32_t>(state >> 40) & 0xfffff0);
        table.add({word, 2, 28, false}, retired);
        if (i % 3 == 0) table.remove(word, 28, retired);
        if (i % 1000 == 999) table.assign({{0x0a000000, 1, 8, false}}, retired);
    }
    is_over.store(true);
    one.join();
    two.join();
    CHECK(wrong == 0);
}

TEST_CASE("two workers fill one dynamic set and control deletes from it") {
    constexpr unsigned kSources = 300;
    std::string text = config_with(
        "{ policy: drop, rules: [ { id: add, in: lan, add_to: { set: seen, key: src } }, "
        "{ id: in, src: \"@seen\", action: accept } ] }");
    text.insert(text.find("chains:"), "sets: { seen: { type: ip, dynamic: true, max: 1000 } }\n");
    std::vector<rte_mbuf*> mbufs;
    for (unsigned i = 0; i < 4 * kSources; ++i) {
        const std::string source =
            "10.0." + std::to_string(i % kSources / 250) + "." + std::to_string(i % 250 + 1);
        mbufs.push_back(DpdkSession::get().make_mbuf(
            frame_of("udp " + source + ":" + std::to_string(1000 + i) + " > 192.0.2.1:53")));
    }
    WorkerBed bed({});
    auto snapshot = load(text);
    NamedSet& set = *snapshot->ruleset.names.sets[0]->set;
    bed.publish(std::move(snapshot));
    for (size_t i = 0; i < mbufs.size(); ++i)
        bed.put(0, static_cast<uint16_t>(i % 2), mbufs[i]);
    bed.start(0);
    bed.start(1);
    // Addresses that no packet has.
    const Now now = Now::at(1);
    for (int i = 0; i < 2000; ++i) {
        const SetElement element = element_of(set, "172.16.0." + std::to_string(i % 200));
        set.add(element, 0, now);
        if (i % 2 == 1) set.remove(element);
        SetCursor cursor;
        SetEntry entry;
        for (int j = 0; j < 20 && set.next(cursor, entry, now); ++j)
            CHECK(entry.element.family == Family::Ipv4);
    }
    const bool is_settled = bed.settle();
    bed.stop();
    REQUIRE(is_settled);
    CHECK(bed.sum(&WorkerCounters::forwarded) == 4 * kSources);
    for (int i = 0; i < 200; ++i)
        set.remove(element_of(set, "172.16.0." + std::to_string(i)));
    unsigned sources = 0;
    SetCursor cursor;
    SetEntry entry;
    while (set.next(cursor, entry, now))
        ++sources;
    CHECK(sources == set.size());
    CHECK(set.refused() == 0);
}

}  // namespace rampart::test
