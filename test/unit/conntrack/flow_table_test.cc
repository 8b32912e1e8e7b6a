// The flow table by itself: what goes in is found from both directions until it goes.
#include "conntrack/flow_table.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "packet/parser.h"
#include "support/dpdk_session.h"
#include "support/packet_line.h"

namespace rampart::test {
namespace {

struct Parsed {
    explicit Parsed(const std::string& line) : frame(frame_of(line)) {
        const uint32_t size = static_cast<uint32_t>(frame.size());
        REQUIRE(parse_frame(packet, frame.data(), size, size, {}).kind == FrameKind::Ip);
    }
    Bytes frame;
    Packet packet;
};

std::unique_ptr<FlowTable> make_table(FlowTable::Options options) {
    options.name = DpdkSession::get().unique_name("table");
    options.hash = KeyedHash::from_seed(3);
    auto table = FlowTable::create(options);
    REQUIRE(table.has_value());
    return std::move(*table);
}

KeyBatch batch_of(const FlowTable& table, const Parsed& parsed) {
    KeyBatch batch;
    batch.add(0, parsed.packet);
    table.keys().hash(batch, parsed.packet.family);
    return batch;
}

uint32_t hash_of(const FlowTable& table, const Parsed& parsed) {
    return batch_of(table, parsed).hash[0];
}

FlowRef find(const FlowTable& table, const Parsed& parsed) {
    const KeyBatch batch = batch_of(table, parsed);
    const KeyTable& keys = table.keys();
    TableEntry stored;
    keys.find(
        batch, parsed.packet.family,
        [&](uint32_t, FlowRef ref) { stored = TableEntry::plain(ref); },
        [&](uint32_t, TableEntry entry) { stored = entry; });
    stored = keys.settle(stored, parsed.packet);
    const TableEntry again = keys.find(parsed.packet, batch.hash[0]);
    CHECK(stored.raw() == again.raw());
    if (stored.is_none()) return FlowRef{};
    return stored.toward(parsed.packet.swapped);
}

FlowIndex insert(FlowTable& table, const Parsed& parsed, Tick deadline = 1000) {
    const FlowIndex index = table.allocate();
    if (index == kNoFlow) return kNoFlow;
    FlowInfo info;
    info.original = tuple_of(parsed.packet);
    REQUIRE(table.confirm(index, parsed.packet, hash_of(table, parsed), info, deadline));
    return index;
}

}  // namespace

TEST_CASE("a flow is found from both directions, and the direction is right") {
    auto table = make_table({.capacity = 64});
    const std::pair<const char*, const char*> flows[] = {
        {"tcp 10.0.0.2:9 > 192.0.2.1:80 S", "tcp 192.0.2.1:80 > 10.0.0.2:9 SA"},
        {"tcp 192.0.2.1:81 > 10.0.0.2:9 S", "tcp 10.0.0.2:9 > 192.0.2.1:81 SA"},
        {"udp [2001:db8::1]:9 > [2001:db8::2]:53", "udp [2001:db8::2]:53 > [2001:db8::1]:9"},
        {"icmp 10.0.0.2 > 192.0.2.1 echo-request id 7",
         "icmp 192.0.2.1 > 10.0.0.2 echo-reply id 7"},
        {"ip 192.0.2.1 > 10.0.0.2 proto 47", "ip 10.0.0.2 > 192.0.2.1 proto 47"}};
    for (const auto& [first, answer] : flows) {
        const Parsed original(first), reply(answer);
        CHECK(find(*table, original).is_none());
        const FlowIndex index = insert(*table, original);
        CHECK(find(*table, original).index() == index);
        CHECK(find(*table, original).direction() == Direction::Original);
        CHECK(find(*table, reply).index() == index);
        CHECK(find(*table, reply).direction() == Direction::Reply);
        CHECK(table->original_tuple(index) == tuple_of(original.packet));
    }
    CHECK(table->count() == std::size(flows));
}

TEST_CASE("a packet that is its own reply is a reply from the second on") {
    auto table = make_table({.capacity = 64});
    const Parsed land("udp 10.0.0.2:7 > 10.0.0.2:7");
    const FlowIndex index = insert(*table, land);
    CHECK(find(*table, land).index() == index);
    CHECK(find(*table, land).direction() == Direction::Reply);
}

TEST_CASE("an erased flow is gone at once but its slot waits for the end of the burst") {
    auto table = make_table({.capacity = 1});
    const Parsed one("udp 10.0.0.2:1 > 192.0.2.1:53"), two("udp 10.0.0.2:2 > 192.0.2.1:53");
    const FlowIndex index = insert(*table, one);
    table->erase(index);
    table->erase(index);  // twice is once
    CHECK(find(*table, one).is_none());
    CHECK(table->count() == 0);
    CHECK(table->sweep_at(index) == 0);
    CHECK(table->flow(index).has(flow_status::kDying));
    const FlowIndex other = insert(*table, two);  // in a spare slot
    CHECK(other != index);
    table->end_burst();
    table->erase(other);
    table->end_burst();
    CHECK(insert(*table, one) == other);
    CHECK(table->flow(other).status.load() == flow_status::kConfirmed);
    FlowInfo info;
    REQUIRE(table->read_info(other, info));
    CHECK(info.original == tuple_of(one.packet));
}

TEST_CASE("a table takes as many flows as it promised, again and again") {
    constexpr uint32_t kCapacity = 1000;
    auto table = make_table({.capacity = kCapacity});
    for (uint32_t round = 0; round < 5; ++round) {
        for (uint32_t i = 0; i < kCapacity; ++i)
            REQUIRE(insert(*table, Parsed("udp 10.0." + std::to_string(round) + ".2:" +
                                          std::to_string(i) + " > 192.0.2.1:53")) != kNoFlow);
        CHECK(table->count() == kCapacity);
        CHECK(table->limit() == kCapacity);
        uint32_t erased = 0;
        for (FlowIndex first = 0; first < table->capacity(); first += 32)
            erased += table->erase_range(first, 32);
        CHECK(erased == kCapacity);
        table->end_burst();
    }
}

TEST_CASE("in a full table there is still a slot to judge each packet of a burst with") {
    auto table = make_table({.capacity = 2});
    insert(*table, Parsed("udp 10.0.0.2:1 > 192.0.2.1:53"));
    insert(*table, Parsed("udp 10.0.0.2:2 > 192.0.2.1:53"));
    std::vector<FlowIndex> spare;
    for (uint32_t i = 0; i < FlowTable::kSpareSlots; ++i)
        spare.push_back(table->allocate());
    CHECK(std::count(spare.begin(), spare.end(), kNoFlow) == 0);
    CHECK(table->allocate() == kNoFlow);
    for (const FlowIndex index : spare)
        table->release(index);
}

TEST_CASE("the oldest flow that is not ASSURED gives way; traffic is a second chance") {
    using Evicted = FlowTable::Evicted;
    auto table = make_table({.capacity = 8});
    std::vector<Parsed> packets;
    for (const char* port : {"1", "2", "3", "4"})
        packets.emplace_back(std::string("udp 10.0.0.2:") + port + " > 192.0.2.1:53");
    const FlowIndex assured = insert(*table, packets[0]), busy = insert(*table, packets[1]),
                    idle = insert(*table, packets[2]), essential = insert(*table, packets[3]);
    table->flow(assured).set_status(flow_status::kAssured);
    table->set_assured(assured);
    table->set_deadline(busy, 2000);
    table->set_essential(essential);
    CHECK(table->evict(10) == Evicted::Unassured);
    CHECK(find(*table, packets[2]).is_none());
    CHECK(table->flow(idle).has(flow_status::kDying));
    CHECK(table->evict(10) == Evicted::Unassured);
    CHECK(find(*table, packets[1]).is_none());
    CHECK(table->evict(10) == Evicted::Nothing);
    CHECK_FALSE(table->can_evict());
    table->set_closing(assured);
    CHECK(table->evict(10) == Evicted::Nothing);
    CHECK(table->evict_closing(16) == 1);
    CHECK(table->count() == 1);
    CHECK_FALSE(find(*table, packets[3]).is_none());
}

TEST_CASE("a released flow was never in the table") {
    auto table = make_table({.capacity = 1});
    const FlowIndex index = table->allocate();
    table->release(index);
    CHECK(table->count() == 0);
    CHECK(table->allocate() == index);
}

TEST_CASE("a flow expires at its deadline, and a later deadline postpones the sweep") {
    auto table = make_table({.capacity = 8});
    const FlowIndex index = insert(*table, Parsed("udp 10.0.0.2:1 > 192.0.2.1:53"), 1000);
    CHECK(table->sweep_at(index) == 1000);
    table->set_deadline(index, 5000);
    CHECK(table->sweep_at(index) == 1000);  // the sweep may look too early
    CHECK_FALSE(table->expire_if_due(index, 1000));
    CHECK(table->sweep_at(index) == 5000);
    table->set_deadline(index, 2000);
    CHECK(table->sweep_at(index) == 2000);  // never too late
    CHECK_FALSE(table->expire_if_due(index, 1999));
    CHECK(table->expire_if_due(index, 2000));
    CHECK_FALSE(table->expire_if_due(index, 2000));
    CHECK(table->count() == 0);
}

TEST_CASE("deadlines work across the wrap of the tick") {
    auto table = make_table({.capacity = 8});
    const FlowIndex index = insert(*table, Parsed("udp 10.0.0.2:1 > 192.0.2.1:53"), 0xfffffff0);
    table->set_deadline(index, 0);  // tick 0, after the wrap
    CHECK_FALSE(table->expire_if_due(index, 0xffffffff));
    CHECK(table->sweep_at(index) != 0);
    CHECK(table->expire_if_due(index, 1));
}

TEST_CASE("an erase by serial hits that incarnation only") {
    auto table = make_table({.capacity = 1});
    const Parsed one("udp 10.0.0.2:1 > 192.0.2.1:53");
    const FlowIndex index = insert(*table, one);
    FlowInfo info;
    REQUIRE(table->read_info(index, info));
    table->erase(index);
    table->end_burst();
    CHECK_FALSE(table->erase_incarnation(index, info.serial));
    REQUIRE(insert(*table, one) == index);
    CHECK_FALSE(table->erase_incarnation(index, info.serial));
    REQUIRE(table->read_info(index, info));
    CHECK(table->erase_incarnation(index, info.serial));
    CHECK_FALSE(table->erase_incarnation(0xffffff, 1));
    CHECK_FALSE(table->read_info(index, info));
}

TEST_CASE("a table without room or with too much is refused with a reason") {
    CHECK_FALSE(FlowTable::create({.name = "none", .capacity = 0}).has_value());
    CHECK_FALSE(
        FlowTable::create({.name = "huge", .capacity = FlowTable::kMaxCapacity + 1}).has_value());
    const auto too_big = FlowTable::create({.name = "big", .capacity = FlowTable::kMaxCapacity});
    REQUIRE_FALSE(too_big.has_value());
    CHECK(too_big.error().hint.find("conntrack.max") != std::string::npos);
}

TEST_CASE("a table for transparent pairs keeps nothing about ways") {
    constexpr uint32_t kFlows = 1000;
    constexpr uint32_t kWays = sizeof(Forwarding) + sizeof(SeqCell<FlowReply>);
    CHECK(FlowTable::bytes_for({.capacity = kFlows}) -
              FlowTable::bytes_for({.capacity = kFlows, .has_ways = false}) ==
          kFlows * kWays);
    auto table = make_table({.capacity = kFlows, .has_ways = false});
    std::vector<FlowIndex> taken;
    for (FlowIndex index = table->allocate(); index != kNoFlow; index = table->allocate()) {
        table->prefetch_free(0, true, true);
        table->ties(index).helper_slot = 7;
        taken.push_back(index);
    }
    CHECK(taken.size() == table->capacity());
    for (const FlowIndex index : taken)
        table->release(index);
    CHECK(table->ties(table->allocate()).helper_slot == 0);  // of whom had the slot before
}

TEST_CASE("a table without counters keeps none, and has seen nothing") {
    constexpr uint32_t kFlows = 64;
    CHECK(FlowTable::bytes_for({.capacity = kFlows}) -
              FlowTable::bytes_for({.capacity = kFlows, .has_accounting = false}) ==
          kFlows * sizeof(FlowAccounting));
    auto table = make_table({.capacity = kFlows, .has_accounting = false});
    const FlowIndex index = insert(*table, Parsed("udp 10.0.0.1:9 > 192.0.2.1:53"));
    CHECK(table->accounting() == nullptr);
    CHECK(table->traffic(index).packets[0] == 0);
    FlowInfo info;
    REQUIRE(table->read_info(index, info));
    table->discount(index, info.serial, 0, 1, 100);
    CHECK(table->traffic(index).bytes[0] == 0);
}

TEST_CASE("a table without IPv6 has no room for its addresses") {
    constexpr uint32_t kFlows = 64;
    CHECK(FlowTable::bytes_for({.capacity = kFlows}) -
              FlowTable::bytes_for({.capacity = kFlows, .has_ipv6 = false}) ==
          kFlows * sizeof(StoredAddresses));
    auto table = make_table({.capacity = kFlows, .has_ipv6 = false});
    const Parsed packet("udp 10.0.0.1:9 > 192.0.2.1:53");
    const FlowIndex index = insert(*table, packet);
    CHECK(find(*table, packet).index() == index);
    // Its bytes do not make an IPv6 packet of it, nor the other way round.
    CHECK(find(*table, Parsed("udp [a00:1::]:9 > [c000:201::]:53")).is_none());
    table->erase(index);
    CHECK(find(*table, packet).is_none());
}

TEST_CASE("a flow's packets are told by direction, and what was told is taken off") {
    auto table = make_table({.capacity = 64});
    const FlowIndex index = insert(*table, Parsed("udp 10.0.0.1:9 > 192.0.2.1:53"));
    count_traffic(table->flow(index), table->accounting()[index], Direction::Original, 100);
    count_traffic(table->flow(index), table->accounting()[index], Direction::Original, 60);
    count_traffic(table->flow(index), table->accounting()[index], Direction::Reply, 40);
    FlowInfo info;
    REQUIRE(table->read_info(index, info));
    table->discount(index, info.serial, 0, 1, 100);
    CHECK(table->traffic(index).packets[0] == 1);
    CHECK(table->traffic(index).bytes[0] == 60);
    CHECK(table->traffic(index).packets[1] == 1);
    CHECK(table->traffic(index).bytes[1] == 40);
}

TEST_CASE("a table for translation has room for two keys of every flow") {
    constexpr uint32_t kFlows = 20'000;
    auto table = make_table({.capacity = kFlows, .keys_per_flow = 2});
    Tuple original;
    original.family = Family::Ipv4;
    original.protocol = ip_protocol::kUdp;
    original.dst = IpAddress::parse("203.0.113.1")->bytes;
    const AddressBytes outside = IpAddress::parse("192.0.2.1")->bytes;
    uint32_t confirmed = 0;
    for (uint32_t flow = 0; flow < kFlows; ++flow) {
        store_host32(original.src.data(), 0x0a00'0000 + flow);
        original.src_port = be16::from_host(static_cast<uint16_t>(1024 + flow));
        Tuple translated = original;
        translated.src = outside;
        const FlowIndex index = table->allocate();
        table->flow(index).set_status(flow_status::kSrcNat);
        FlowInfo info;
        info.original = original;
        FlowReply reply;
        reply.reply = invert(translated);
        confirmed += table->confirm_translated(index, info, reply, 1000);
    }
    CHECK(confirmed == kFlows);
    CHECK(table->count() == kFlows);
}

}  // namespace rampart::test
