// Entries for one way and for the other form of a key, against a plain map from tuples.
#include "conntrack/key_table.h"

#include <algorithm>
#include <map>
#include <random>

#include <catch2/catch.hpp>

#include "support/dpdk_session.h"

namespace rampart::test {
namespace {

Tuple tuple_of_ports(uint16_t src_port, uint16_t dst_port, Family family = Family::Ipv4) {
    Tuple tuple;
    tuple.family = family;
    tuple.protocol = 17;
    tuple.src = {10, 0, 0, 1};
    tuple.dst = {10, 0, 0, 2};
    tuple.src_port = be16::from_host(src_port);
    tuple.dst_port = be16::from_host(dst_port);
    return tuple;
}

TableEntry original_entry(uint32_t index, bool swapped) noexcept {
    return TableEntry::one_way(FlowRef(index, Direction::Original), swapped);
}
TableEntry foreign_entry(uint32_t worker, bool swapped) noexcept {
    return TableEntry::foreign(static_cast<uint16_t>(worker), swapped);
}

// Of both kinds, one after the other, with what their entries' flows would be.
struct Table {
    Table() {
        DpdkSession& session = DpdkSession::get();
        REQUIRE(arrays.create(1000, {.ways = false, .accounting = false}, -1));
        REQUIRE(keys.create({.name = session.unique_name("keys"),
                             .capacity = 256,
                             .foreign_keys = 16,
                             .hash = KeyedHash::from_seed(5),
                             .kind = GENERATE(KeyIndexKind::Buckets, KeyIndexKind::RteHash)},
                            arrays));
    }
    // A flow says whose key it is before its key is entered.
    bool insert(const Tuple& tuple, uint32_t index) {
        arrays.store_key(index, tuple);
        return keys.insert_one_way(tuple, original_entry, index);
    }
    FlowArrays arrays;
    KeyTable keys;
};

}  // namespace

TEST_CASE("an entry for one way is found by packets of that way alone") {
    const Family family = GENERATE(Family::Ipv4, Family::Ipv6);
    Table table;
    const Tuple tuple = tuple_of_ports(1, 2, family);
    REQUIRE(table.insert(tuple, 7));
    CHECK(table.keys.find(tuple).index() == 7);
    CHECK(table.keys.find(invert(tuple)).is_none());
    CHECK_FALSE(table.insert(tuple, 8));
    table.keys.remove_one_way(tuple, original_entry, 7);
    CHECK(table.keys.find(tuple).is_none());
}

TEST_CASE("two flows share a key, each in its own order of it") {
    const Family family = GENERATE(Family::Ipv4, Family::Ipv6);
    const bool is_first_removed = GENERATE(true, false);
    Table table;
    const Tuple tuple = tuple_of_ports(1, 2, family), inverse = invert(tuple);
    REQUIRE(table.insert(tuple, 7));
    REQUIRE(table.insert(inverse, 8));
    CHECK(table.keys.find(tuple).index() == 7);
    CHECK(table.keys.find(inverse).index() == 8);
    CHECK_FALSE(table.insert(inverse, 9));
    if (is_first_removed) {
        table.keys.remove_one_way(tuple, original_entry, 7);
        CHECK(table.keys.find(tuple).is_none());
        CHECK(table.keys.find(inverse).index() == 8);
        CHECK_FALSE(table.insert(inverse, 9));
    } else {
        table.keys.remove_one_way(inverse, original_entry, 8);
        CHECK(table.keys.find(tuple).index() == 7);
        CHECK(table.keys.find(inverse).is_none());
        CHECK_FALSE(table.insert(tuple, 9));
    }
}

TEST_CASE("a foreign entry names its worker and keeps the tuple taken") {
    Table table;
    const Tuple tuple = tuple_of_ports(1, 2);
    REQUIRE(table.keys.insert_one_way(tuple, foreign_entry, 3));
    CHECK(table.keys.find(tuple).is_foreign());
    CHECK(table.keys.find(tuple).worker() == 3);
    CHECK(table.keys.find(invert(tuple)).is_none());
    CHECK_FALSE(table.insert(tuple, 1));
    table.keys.remove_one_way(tuple, foreign_entry, 3);
    CHECK(table.keys.find(tuple).is_none());
}

TEST_CASE("foreign entries that find no room are refused") {
    const Family family = GENERATE(Family::Ipv4, Family::Ipv6);
    Table table;
    uint16_t added = 0;
    while (added < 500 &&
           table.keys.insert_one_way(tuple_of_ports(added, 7, family), foreign_entry, added % 64))
        ++added;
    CHECK(added >= 16);
    for (uint16_t port = 0; port < added; ++port)
        CHECK(table.keys.find(tuple_of_ports(port, 7, family)).worker() == port % 64);
    table.keys.remove_one_way(tuple_of_ports(3, 7, family), foreign_entry, 3);
    CHECK(table.keys.insert_one_way(tuple_of_ports(9999, 7, family), foreign_entry, 5));
    CHECK(table.keys.find(tuple_of_ports(9999, 7, family)).worker() == 5);
}

TEST_CASE("random entries are found exactly as in a map from tuples") {
    const Family family = GENERATE(Family::Ipv4, Family::Ipv6);
    Table table;
    std::mt19937 random(17);
    std::map<std::pair<uint16_t, uint16_t>, uint32_t> model;
    for (int step = 0; step < 50'000; ++step) {
        const std::pair<uint16_t, uint16_t> ports(static_cast<uint16_t>(random() % 6),
                                                  static_cast<uint16_t>(random() % 6));
        Tuple tuple = tuple_of_ports(ports.first, ports.second, family);
        tuple.dst = tuple.src;  // so that the inverse is in the model, too
        if (ports.first == ports.second) continue;
        const auto present = model.find(ports);
        const TableEntry found = table.keys.find(tuple);
        REQUIRE(found.is_none() == (present == model.end()));
        if (present != model.end()) REQUIRE(found.index() == present->second);
        if (random() % 2 == 0) {
            // That of nobody else.
            uint32_t index = 0;
            while (std::any_of(model.begin(), model.end(),
                               [&](const auto& one) { return one.second == index; }))
                ++index;
            const bool is_inserted = table.insert(tuple, index);
            REQUIRE(is_inserted == (present == model.end()));
            if (is_inserted) model[ports] = index;
        } else if (present != model.end()) {
            table.keys.remove_one_way(tuple, original_entry, present->second);
            model.erase(present);
        }
    }
}

}  // namespace rampart::test
