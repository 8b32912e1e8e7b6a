// BucketIndex against a plain map, from empty to more keys than it was made for.
#include "conntrack/bucket_index.h"

#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/dpdk_session.h"

namespace rampart::test {
namespace {

const KeyedHash kHash = KeyedHash::from_seed(11);

FlowKey4 key_of(uint32_t number) {
    FlowKey4 key;
    key.low_address = be32::from_host(0x0a000000 + number / 1000);
    key.high_address = be32::from_host(0xc0000201);
    key.low_port = be16::from_host(static_cast<uint16_t>(number % 1000));
    key.high_port = be16::from_host(80);
    key.protocol = 17;
    return key;
}

TableEntry entry_of(uint32_t number) {
    return TableEntry::plain(
        FlowRef(number, number % 3 == 0 ? Direction::Reply : Direction::Original));
}

class Model {
  public:
    explicit Model(uint32_t capacity) {
        DpdkSession::get();
        REQUIRE(index_.create(capacity, -1, kHash));
    }
    bool add(uint32_t number, TableEntry entry) {
        const FlowKey4 key = key_of(number);
        if (!index_.add(key, kHash.hash(key), entry)) return false;
        expected_[number] = entry.raw();
        return true;
    }
    void remove(uint32_t number) {
        const FlowKey4 key = key_of(number);
        CHECK(index_.remove(key, kHash.hash(key)) == (expected_.erase(number) == 1));
    }
    // All numbers below `end`: one by one, and in batches.
    void check(uint32_t end) const {
        constexpr uint32_t kBatch = 64;
        uint32_t wrong = 0;
        for (uint32_t first = 0; first < end; first += kBatch) {
            const uint32_t count = std::min(kBatch, end - first);
            FlowKey4 keys[kBatch];
            const void* pointers[kBatch];
            uint32_t hashes[kBatch];
            uint64_t found[kBatch], wanted[kBatch];
            for (uint32_t at = 0; at < count; ++at) {
                keys[at] = key_of(first + at);
                pointers[at] = &keys[at];
                const auto known = expected_.find(first + at);
                wanted[at] = known == expected_.end() ? TableEntry{}.raw() : known->second;
            }
            kHash.hash4(pointers, hashes, count);
            index_.find(
                pointers, hashes, count,
                [&](uint32_t at, FlowRef ref) { found[at] = TableEntry::plain(ref).raw(); },
                [&](uint32_t at, TableEntry entry) { found[at] = entry.raw(); });
            for (uint32_t at = 0; at < count; ++at) {
                wrong += found[at] != wanted[at];
                wrong += index_.look_up(keys[at], hashes[at]).raw() != wanted[at];
            }
        }
        CHECK(wrong == 0);
    }
    uint32_t size() const { return static_cast<uint32_t>(expected_.size()); }
    uint32_t overflowed() const { return index_.overflowed(); }

  private:
    BucketIndex index_;
    std::map<uint32_t, uint64_t> expected_;
};

}  // namespace

TEST_CASE("an index finds what was added and nothing else") {
    Model model(1000);
    for (uint32_t number = 0; number < 1000; ++number)
        REQUIRE(model.add(number, entry_of(number)));
    model.check(2000);
    for (uint32_t number = 0; number < 1000; number += 2)
        model.remove(number);
    model.remove(0);
    model.remove(5000);
    model.check(2000);
    CHECK(model.size() == 500);
}

TEST_CASE("an entry keeps its kind, and is replaced") {
    Model model(64);
    const TableEntry kinds[] = {
        TableEntry::plain(FlowRef((1u << 27) - 65, Direction::Reply)),
        TableEntry::one_way(FlowRef(7, Direction::Original), true),
        TableEntry::one_way(FlowRef((1u << 27) - 65, Direction::Reply), false),
        TableEntry::foreign(63, true), TableEntry::promised(1, false)};
    for (const TableEntry kind : kinds) {
        REQUIRE(model.add(1, kind));
        model.check(3);
    }
    CHECK(model.size() == 1);
}

TEST_CASE("as many keys as an index was made for always fit") {
    const uint32_t capacity = GENERATE(64u, 1000u, 20000u);
    Model model(capacity);
    for (uint32_t number = 0; number < capacity; ++number)
        REQUIRE(model.add(number, entry_of(number)));
    model.check(capacity + 64);
    CHECK(model.overflowed() <= capacity / 1000 + 1);
}

// Seven in ten of all slots are for the keys it was made for; the rest, and the overflow table,
// fill up here.
TEST_CASE("an index that is filled beyond its room refuses and stays right") {
    Model model(600);
    std::vector<uint32_t> present;
    for (uint32_t number = 0; number < 3000; ++number)
        if (model.add(number, entry_of(number))) present.push_back(number);
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
    std::mt19937 random(20);
    Model model(500);
    for (uint32_t step = 0; step < 60000; ++step) {
        const auto number = static_cast<uint32_t>(random() % 900);
        // Now almost empty, now beyond its room.
        const bool adds = random() % 100 < (step / 10000 % 2 == 0 ? 70u : 30u);
        if (adds)
            model.add(number, entry_of(static_cast<uint32_t>(random() % 100000)));
        else
            model.remove(number);
        if (step % 5000 == 0) model.check(1000);
    }
    model.check(1000);
}

}  // namespace rampart::test
