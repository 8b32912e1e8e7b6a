#include "conntrack/expectation_table.h"

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "conntrack/gre_key_map.h"

namespace rampart::test {
namespace {

constexpr Tick kNow = 1000;

Tuple tuple(uint32_t source, uint16_t source_port, uint32_t destination, uint16_t port) {
    Tuple made;
    made.family = Family::Ipv4;
    made.protocol = 6;
    store_host32(made.src.data(), source);
    store_host32(made.dst.data(), destination);
    made.src_port = be16::from_host(source_port);
    made.dst_port = be16::from_host(port);
    return made;
}

Expectation expectation(FlowIndex master, const Tuple& wanted,
                        uint8_t flags = expectation_flag::kAnySourcePort) {
    Expectation made;
    made.tuple = wanted;
    made.master = master;
    made.master_original = tuple(0x0a000000 + master, 1, 2, 3);
    made.deadline = kNow + 100;
    made.flags = flags;
    return made;
}

struct Table : ExpectationTable {
    explicit Table(uint32_t capacity = kDefaultCapacity)
        : ExpectationTable(KeyedHash::from_seed(3), capacity) {}
    ExpectOutcome add_one(const Expectation& wanted, uint32_t limit = 0, Tick now = kNow) {
        return add({&wanted, 1}, limit, now);
    }
    bool has(const Tuple& packet, Tick now = kNow) const {
        Expectation found;
        return find(packet, now, found) != kNone;
    }
};

}  // namespace

TEST_CASE("destinations are exact, sources as far as they are said") {
    Table table;
    CHECK(table.add_one(expectation(1, tuple(5, 0, 6, 7))) == ExpectOutcome::Added);
    CHECK(table.has(tuple(5, 99, 6, 7)));
    CHECK_FALSE(table.has(tuple(4, 99, 6, 7)));
    CHECK_FALSE(table.has(tuple(5, 99, 6, 8)));
    CHECK_FALSE(table.has(tuple(5, 99, 7, 7)));
    Tuple other = tuple(5, 99, 6, 7);
    other.zone = 1;
    CHECK_FALSE(table.has(other));
    other.zone = 0;
    other.protocol = 17;
    CHECK_FALSE(table.has(other));
    other.protocol = 6;
    other.family = Family::Ipv6;
    CHECK_FALSE(table.has(other));

    CHECK(table.add_one(expectation(1, tuple(5, 9, 6, 8), 0)) == ExpectOutcome::Added);
    CHECK(table.has(tuple(5, 9, 6, 8)));
    CHECK_FALSE(table.has(tuple(5, 10, 6, 8)));
    const uint8_t any = expectation_flag::kAnySource | expectation_flag::kAnySourcePort;
    CHECK(table.add_one(expectation(1, tuple(0, 0, 6, 9), any)) == ExpectOutcome::Added);
    CHECK(table.has(tuple(77, 88, 6, 9)));
}

TEST_CASE("the same again is replaced, what overlaps is busy") {
    Table table;
    const Expectation first = expectation(1, tuple(5, 0, 6, 7));
    CHECK(table.add_one(first) == ExpectOutcome::Added);
    CHECK(table.add_one(first) == ExpectOutcome::Added);
    CHECK(table.count() == 1);
    const Expectation others = expectation(2, tuple(5, 0, 6, 7));
    CHECK(table.add_one(others) == ExpectOutcome::Busy);
    CHECK(table.add({&others, 1}, 0, kNow, true) == ExpectOutcome::Already);
    Expectation other_class = first;
    other_class.flow_class = 1;
    CHECK(table.add_one(other_class) == ExpectOutcome::Already);
    const uint8_t any = expectation_flag::kAnySource | expectation_flag::kAnySourcePort;
    CHECK(table.add_one(expectation(1, tuple(0, 0, 6, 7), any)) == ExpectOutcome::Busy);
    CHECK(table.add_one(expectation(2, tuple(4, 0, 6, 7))) == ExpectOutcome::Added);
    CHECK(table.outcome_elsewhere(others, kNow, false) == ExpectOutcome::Busy);
    CHECK(table.outcome_elsewhere(others, kNow, true) == ExpectOutcome::Already);
    CHECK(table.outcome_elsewhere(others, kNow + 100, false) == ExpectOutcome::Added);
    // What is over does not stand in the way.
    CHECK(table.add_one(others, 0, kNow + 100) == ExpectOutcome::Added);
}

TEST_CASE("the same for two hosts behind one address is busy") {
    Table table;
    Expectation first = expectation(1, tuple(5, 0, 6, 7));
    first.flags |= expectation_flag::kTranslated;
    store_host32(first.translation.destination.data(), 0x0a000001);
    first.translation.destination_port = be16::from_host(7);
    CHECK(table.add_one(first) == ExpectOutcome::Added);

    Expectation second = first;
    second.master = 2;
    CHECK(table.add({&second, 1}, 0, kNow, true) == ExpectOutcome::Already);
    store_host32(second.translation.destination.data(), 0x0a000002);
    CHECK(table.add({&second, 1}, 0, kNow, true) == ExpectOutcome::Busy);
    CHECK(table.outcome_elsewhere(second, kNow, true) == ExpectOutcome::Busy);

    Expectation other_class = first;
    other_class.flow_class = 1;
    CHECK(table.add_one(other_class) == ExpectOutcome::Already);
    other_class.translation.destination_port = be16::from_host(9);
    CHECK(table.add_one(other_class) == ExpectOutcome::Busy);
}

TEST_CASE("the oldest of a class gives way at its limit") {
    Table table;
    for (uint16_t port = 1; port <= 6; ++port)
        CHECK(table.add_one(expectation(1, tuple(5, 0, 6, port)), 4) == ExpectOutcome::Added);
    CHECK(table.count() == 4);
    CHECK_FALSE(table.has(tuple(5, 0, 6, 2)));
    CHECK(table.has(tuple(5, 0, 6, 3)));
    Expectation other_class = expectation(1, tuple(5, 0, 6, 50));
    other_class.flow_class = 2;
    CHECK(table.add_one(other_class, 1) == ExpectOutcome::Added);
    CHECK(table.count() == 5);
    const Expectation pair[2] = {expectation(1, tuple(5, 0, 6, 60)),
                                 expectation(1, tuple(5, 0, 6, 61))};
    CHECK(table.add(pair, 4, kNow) == ExpectOutcome::Added);
    CHECK(table.count() == 5);
    CHECK_FALSE(table.has(tuple(5, 0, 6, 4)));
    CHECK(table.has(tuple(5, 0, 6, 60)));
}

TEST_CASE("H16: a host has 64, whatever its connections are") {
    Table table;
    for (uint16_t port = 1; port <= 64; ++port) {
        Expectation wanted = expectation(port, tuple(5, 0, 6, port));
        wanted.master_original = tuple(0x0a000001, port, 2, 3);
        CHECK(table.add_one(wanted) == ExpectOutcome::Added);
    }
    Expectation more = expectation(99, tuple(5, 0, 6, 99));
    more.master_original = tuple(0x0a000001, 99, 2, 3);
    CHECK(table.add_one(more) == ExpectOutcome::HostLimit);
    CHECK(table.add_one(expectation(2, tuple(5, 0, 6, 99))) == ExpectOutcome::Added);
    more.tuple = tuple(5, 0, 6, 100);
    CHECK(table.add_one(more, 0, kNow + 100) == ExpectOutcome::Added);
    CHECK(table.count() == 1);
}

TEST_CASE("a full table takes no more, and a pair is taken whole or not at all") {
    Table table(4);
    for (uint16_t master = 1; master <= 3; ++master)
        CHECK(
            table.add_one(expectation(master, tuple(5, 0, 6, static_cast<uint16_t>(7 + master)))) ==
            ExpectOutcome::Added);
    const Expectation pair[2] = {expectation(9, tuple(5, 0, 6, 60)),
                                 expectation(9, tuple(5, 0, 6, 61))};
    CHECK(table.add(pair, 0, kNow) == ExpectOutcome::Full);
    CHECK(table.count() == 3);
    const Expectation busy[2] = {expectation(9, tuple(5, 0, 6, 60)),
                                 expectation(9, tuple(5, 0, 6, 8))};
    CHECK(table.add(busy, 0, kNow) == ExpectOutcome::Busy);
    CHECK(table.count() == 3);
    CHECK(table.expire(kNow + 99) == 0);
    CHECK(table.expire(kNow + 100) == 3);
    CHECK(table.add(pair, 0, kNow + 50) == ExpectOutcome::Added);
}

TEST_CASE("what is inactive matches nothing, what is permanent stays") {
    Table table;
    const uint8_t flags = expectation_flag::kAnySourcePort | expectation_flag::kPermanent |
                          expectation_flag::kInactive;
    CHECK(table.add_one(expectation(1, tuple(5, 0, 6, 7), flags)) == ExpectOutcome::Added);
    CHECK_FALSE(table.has(tuple(5, 1, 6, 7)));
    CHECK_FALSE(table.activate(2, 0, tuple(0, 0, 6, 7), kNow + 500));
    CHECK_FALSE(table.activate(1, 0, tuple(0, 0, 6, 8), kNow + 500));
    CHECK(table.activate(1, 0, tuple(0, 0, 6, 7), kNow + 500));
    Expectation found;
    CHECK(table.take(tuple(5, 1, 6, 7), kNow + 499, found));
    CHECK(table.take(tuple(5, 1, 6, 7), kNow + 499, found));
    CHECK_FALSE(table.take(tuple(5, 1, 6, 7), kNow + 500, found));
    CHECK(table.remove_of_master(1, 0b10) == 0);
    CHECK(table.remove_of_master(1, 0b01) == 1);
}

TEST_CASE("a listing shows what there is, and takes away what it names") {
    Table table;
    Expectation shown;
    table.add_one(expectation(1, tuple(5, 0, 6, 7)));
    uint32_t seen = 0, slot = 0;
    for (uint32_t i = 0; i < table.capacity(); ++i)
        if (table.read(i, shown)) {
            slot = i;
            ++seen;
        }
    REQUIRE(seen == 1);
    REQUIRE(table.read(slot, shown));
    CHECK_FALSE(table.remove(slot, shown.id + 1));
    CHECK(table.remove(slot, shown.id));
    CHECK_FALSE(table.remove(slot, shown.id));
    CHECK_FALSE(table.read(slot, shown));
    CHECK_FALSE(table.read(table.capacity(), shown));
}

TEST_CASE("a child's source is exchanged only as its expectation says") {
    Table table;
    Expectation wanted =
        expectation(1, tuple(0, 0, 6, 7),
                    expectation_flag::kAnySource | expectation_flag::kAnySourcePort |
                        expectation_flag::kTranslated | expectation_flag::kPermanent);
    wanted.translation.source = tuple(9, 0, 0, 0).src;
    wanted.translation.only_source = tuple(5, 0, 0, 0).src;
    table.add_one(wanted);
    Expectation found;
    CHECK(table.take(tuple(5, 1, 6, 7), kNow, found));
    CHECK(found.translation.source == tuple(9, 0, 0, 0).src);
    CHECK(table.take(tuple(4, 1, 6, 7), kNow, found));
    CHECK(found.translation.source == tuple(4, 0, 0, 0).src);
}

TEST_CASE("other threads look while the owner changes, and see only what was there") {
    Table table(64);
    std::atomic<bool> is_over{false};
    std::atomic<uint64_t> found_count{0};
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 2; ++reader)
        readers.emplace_back([&, reader] {
            std::mt19937 random(static_cast<uint32_t>(reader));
            Expectation found;
            // At least one look after the writer has ended.
            for (bool is_last = false; !is_last;) {
                is_last = is_over.load();
                const auto port = static_cast<uint16_t>(is_last ? 1 : random() % 200);
                if (table.find(tuple(5, 1, 6, port), kNow, found) == ExpectationTable::kNone)
                    continue;
                // Whole records only: the master is made from the port.
                if (found.tuple.dst_port.host() != port || found.master != 1000u + port)
                    std::abort();
                ++found_count;
            }
        });
    std::mt19937 random(7);
    for (int i = 0; i < 200000; ++i) {
        const auto port = static_cast<uint16_t>(random() % 200);
        if (random() % 2 == 0)
            table.remove_of_master(1000u + port);
        else
            table.add_one(expectation(1000u + port, tuple(5, 0, 6, port)));
    }
    table.expire(kNow + 100);
    table.add_one(expectation(1001, tuple(5, 0, 6, 1)));
    is_over = true;
    for (std::thread& reader : readers)
        reader.join();
    CHECK(found_count.load() >= readers.size());
    CHECK(table.count() == 1);
}

TEST_CASE("keys of calls are found by addresses and call id, and go with their master") {
    GreKeyMap keys(KeyedHash::from_seed(4), 8);
    Tuple call = tuple(5, 0x11, 6, 0x22);
    call.protocol = 47;
    Tuple packet = call;
    packet.src_port = {};
    CHECK_FALSE(keys.complete(packet));
    CHECK(keys.add(call, 1));
    CHECK(keys.add(call, 1));
    CHECK(keys.count() == 1);
    CHECK_FALSE(keys.add(call, 2));
    CHECK(keys.complete(packet));
    CHECK(packet == call);
    for (uint16_t id = 1; id < 8; ++id) {
        call.dst_port = be16::from_host(id);
        CHECK(keys.add(call, 1));
    }
    call.dst_port = be16::from_host(99);
    CHECK_FALSE(keys.add(call, 1));
    CHECK(keys.remove_of_master(2) == 0);
    CHECK(keys.remove_of_master(1) == 8);
    CHECK(keys.count() == 0);
    CHECK_FALSE(keys.complete(packet));
}

}  // namespace rampart::test
