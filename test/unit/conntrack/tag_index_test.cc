// TagIndex against a plain map, from empty to more entries than it was made for.
#include "conntrack/tag_index.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "conntrack/keyed_hash.h"
#include "support/dpdk_session.h"

namespace rampart::test {
namespace {

const KeyedHash kHash = KeyedHash::from_seed(11);

uint32_t hash_of(uint32_t number) {
    FlowKey4 key;
    key.low_address = be32::from_host(0x0a000000 + number);
    key.protocol = 17;
    return kHash.hash(key);
}

// Names the number that it is for.
TableEntry entry_of(uint32_t number) {
    return TableEntry::plain(
        FlowRef(number, number % 3 == 0 ? Direction::Reply : Direction::Original));
}

class Model {
  public:
    // With few hashes many numbers share one.
    explicit Model(uint32_t capacity, uint32_t hashes = UINT32_MAX) : hashes_(hashes) {
        DpdkSession::get();
        REQUIRE(index_.create(capacity, -1));
    }
    bool add(uint32_t number) { return add(number, entry_of(number)); }
    bool add(uint32_t number, TableEntry entry) {
        if (!index_.add(hash(number), entry)) return false;
        expected_[number] = entry.raw();
        return true;
    }
    void remove(uint32_t number) {
        const auto known = expected_.find(number);
        const TableEntry entry =
            known == expected_.end() ? entry_of(number) : TableEntry::from_raw(known->second);
        CHECK(index_.remove(hash(number), entry) == (known != expected_.end()));
        if (known != expected_.end()) expected_.erase(known);
    }
    bool has(uint32_t number) const { return expected_.count(number) != 0; }
    // All numbers below `end`: one by one, and by what is proposed for them in batches.
    void check(uint32_t end) const {
        constexpr uint32_t kBatch = 64;
        uint32_t wrong = 0;
        for (uint32_t first = 0; first < end; first += kBatch) {
            const uint32_t count = std::min(kBatch, end - first);
            uint32_t hashes[kBatch], words[kBatch];
            uint64_t told[kBatch]{};
            for (uint32_t at = 0; at < count; ++at)
                hashes[at] = hash(first + at);
            index_.propose(hashes, count, words, [&](uint32_t at, uint32_t word) {
                told[at] = TagIndex::entry_of(word).raw();
            });
            for (uint32_t at = 0; at < count; ++at) {
                const auto known = expected_.find(first + at);
                const bool is_there = known != expected_.end();
                const TableEntry found = index_.look_up(hashes[at], [&](TableEntry entry) {
                    return is_there && entry.raw() == known->second;
                });
                wrong += found.is_none() == is_there;
                // Nothing is proposed only where there is nothing.
                wrong += is_there && words[at] == TagIndex::kNothing;
                wrong += words[at] != TagIndex::kNothing &&
                         told[at] != TagIndex::entry_of(words[at]).raw();
            }
        }
        CHECK(wrong == 0);
    }
    uint32_t size() const { return static_cast<uint32_t>(expected_.size()); }
    uint32_t overflowed() const { return index_.overflowed(); }

  private:
    uint32_t hash(uint32_t number) const { return hash_of(number % hashes_); }

    TagIndex index_;
    uint32_t hashes_;
    std::map<uint32_t, uint64_t> expected_;
};

}  // namespace

TEST_CASE("an index finds what was added and nothing else") {
    Model model(1000);
    for (uint32_t number = 0; number < 1000; ++number)
        REQUIRE(model.add(number));
    model.check(2000);
    for (uint32_t number = 0; number < 1000; number += 2)
        model.remove(number);
    model.remove(0);
    model.remove(5000);
    model.check(2000);
    CHECK(model.size() == 500);
}

TEST_CASE("an entry keeps its kind") {
    Model model(64);
    const TableEntry kinds[] = {
        TableEntry::plain(FlowRef((1u << 27) - 65, Direction::Reply)),
        TableEntry::one_way(FlowRef(7, Direction::Original), true),
        TableEntry::one_way(FlowRef((1u << 27) - 65, Direction::Reply), false),
        TableEntry::foreign(63, true), TableEntry::promised(1, false)};
    for (const TableEntry kind : kinds) {
        REQUIRE(model.add(1, kind));
        model.check(3);
        model.remove(1);
    }
    CHECK(model.size() == 0);
}

TEST_CASE("several entries stand under one hash") {
    Model model(64, 1);
    for (uint32_t number = 0; number < 30; ++number)
        REQUIRE(model.add(number));
    CHECK(model.overflowed() > 0);
    model.check(40);
    for (uint32_t number = 0; number < 30; number += 3)
        model.remove(number);
    model.check(40);
}

TEST_CASE("as many entries as an index was made for always fit") {
    const uint32_t capacity = GENERATE(64u, 1000u, 20000u);
    Model model(capacity);
    for (uint32_t number = 0; number < capacity; ++number)
        REQUIRE(model.add(number));
    model.check(capacity + 64);
    CHECK(model.overflowed() <= capacity / 1000 + 1);
}

// Eight in ten of all places are for the entries it was made for; the rest, and the overflow table,
// fill up here.
TEST_CASE("an index that is filled beyond its room refuses and stays right") {
    Model model(600);
    std::vector<uint32_t> present;
    for (uint32_t number = 0; number < 3000; ++number)
        if (model.add(number)) present.push_back(number);
    CHECK(present.size() > 600);
    CHECK(present.size() < 3000);
    CHECK(model.overflowed() > 0);
    model.check(3000);
    for (const uint32_t number : present)
        model.remove(number);
    CHECK(model.size() == 0);
    CHECK(model.overflowed() == 0);
    model.check(3000);
}

TEST_CASE("an index agrees with a map through random changes") {
    const uint32_t hashes = GENERATE(UINT32_MAX, 300u);
    std::mt19937 random(20);
    Model model(500, hashes);
    for (uint32_t step = 0; step < 60000; ++step) {
        const auto number = static_cast<uint32_t>(random() % 900);
        // Now almost empty, now beyond its room.
        const bool adds = random() % 100 < (step / 10000 % 2 == 0 ? 70u : 30u);
        if (!adds)
            model.remove(number);
        else if (!model.has(number))
            model.add(number);
        if (step % 5000 == 0) model.check(1000);
    }
    model.check(1000);
}

}  // namespace rampart::test
