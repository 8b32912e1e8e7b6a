// What workers tell each other about the ends of flows is never lost, and what they promise ends.
#include "dataplane/notices.h"

#include <catch2/catch.hpp>

#include "dataplane/chronicle.h"
#include "dataplane/context.h"
#include "support/dpdk_session.h"

namespace rampart::test {
namespace {

Tuple tuple_of_port(uint32_t port) {
    Tuple tuple;
    tuple.family = Family::Ipv4;
    tuple.protocol = ip_protocol::kUdp;
    tuple.src = {10, 0, static_cast<uint8_t>(port >> 12), 1};
    tuple.dst = {203, 0, 113, 5};
    tuple.src_port = be16::from_host(static_cast<uint16_t>(1 + (port & 0xfff)));
    tuple.dst_port = be16::from_host(53);
    return tuple;
}

// The tables of two workers, and the context of the first.
struct TwoWorkers {
    static constexpr uint32_t kCapacity = 16384;

    TwoWorkers() { context.notices = notices.get(); }
    static std::unique_ptr<FlowTable> make_table() {
        auto table = FlowTable::create({.name = DpdkSession::get().unique_name("notice-flows"),
                                        .capacity = kCapacity,
                                        .foreign_keys = kCapacity,
                                        .numa_node = -1,
                                        .hash = KeyedHash::from_seed(3)});
        REQUIRE(table);
        return std::move(*table);
    }
    static std::unique_ptr<Notices> make_notices() {
        DpdkSession::get();
        auto made = Notices::create(2);
        REQUIRE(made);
        return std::move(*made);
    }
    // A flow of the first worker whose replies come to the second one, who knows.
    FlowIndex begin(uint32_t number) {
        const FlowIndex index = own->allocate();
        REQUIRE(index != kNoFlow);
        own->flow(index).set_status(flow_status::kSrcNat);
        FlowInfo info;
        info.original = tuple_of_port(number);
        Tuple outside = info.original;
        outside.src = {192, 0, 2, info.original.src[2]};
        REQUIRE(own->confirm_translated(index, info, {.reply = invert(outside)}, 1000));
        own->ties(index).arrives_at[1] = 2;
        REQUIRE(other->foreign().add(invert(outside), 0));
        return index;
    }
    uint32_t read() {
        uint32_t count = 0;
        notices->read(1, [&](uint16_t from, const Notice& notice) {
            CHECK(notice.kind == Notice::Kind::Remove);
            other->foreign().remove(notice.tuple, from);
            ++count;
        });
        return count;
    }

    std::unique_ptr<FlowTable> own = make_table(), other = make_table();
    std::unique_ptr<Notices> notices = make_notices();
    Reassembly datagrams{{.datagrams = 4, .fragments = 16, .hash = KeyedHash::from_seed(3)}};
    WorkerCounters counters;
    Steering steering = Steering::software(2);
    WorkerContext context{*own, datagrams, counters, steering, 0};
};

}  // namespace

TEST_CASE("more flows end at once than notices can be told, and none is forgotten") {
    constexpr uint32_t kFlows = 6000, kRoom = 4095;
    TwoWorkers two;
    std::vector<FlowIndex> flows;
    for (uint32_t number = 0; number < kFlows; ++number)
        flows.push_back(two.begin(number));
    std::vector<Tuple> replies;
    for (const FlowIndex index : flows)
        replies.push_back(two.own->tuple_of(index, Direction::Reply));
    for (const FlowIndex index : flows)
        two.own->erase(index);
    end_burst(two.context);
    CHECK(two.own->count() == 0);
    // The rest of the slots are kept until the other worker has read.
    CHECK(two.own->held() == kFlows - kRoom);
    CHECK(two.own->erased_after(kNoFlow) == kNoFlow);
    end_burst(two.context);
    CHECK(two.own->held() == kFlows - kRoom);
    CHECK(two.read() == kRoom);
    end_burst(two.context);
    CHECK(two.own->held() == 0);
    CHECK(two.read() == kFlows - kRoom);
    for (const Tuple& reply : replies)
        REQUIRE(two.other->keys().find(reply).is_none());
    // All slots can be used again.
    for (uint32_t slot = 0; slot < two.own->capacity(); ++slot)
        REQUIRE(two.own->allocate() != kNoFlow);
}

TEST_CASE("a promise that nobody keeps ends by itself, one that is kept does not") {
    TwoWorkers two;
    ForeignKeys& foreign = two.other->foreign();
    const Tuple lost = tuple_of_port(1), kept = tuple_of_port(2);
    REQUIRE(foreign.promise(lost, 0, 100));
    REQUIRE(foreign.promise(kept, 0, 100));
    CHECK_FALSE(foreign.promise(kept, 0, 100));
    CHECK(two.other->keys().find(lost).worker() == 0);
    REQUIRE(foreign.add(kept, 0));
    foreign.expire(100 + ForeignKeys::kPatience - 1);
    CHECK(two.other->keys().find(lost).is_foreign());
    foreign.expire(100 + ForeignKeys::kPatience + 1);
    CHECK(foreign.promises() == 0);
    CHECK(two.other->keys().find(lost).is_none());
    CHECK(two.other->keys().find(kept).is_foreign());
    foreign.remove(kept, 1);  // not the worker that has it
    CHECK(two.other->keys().find(kept).is_foreign());
    foreign.remove(kept, 0);
    CHECK(two.other->keys().find(kept).is_none());
}

TEST_CASE("the newest promises are kept when there are many, and the newest notice holds") {
    TwoWorkers two;
    ForeignKeys& foreign = two.other->foreign();
    for (uint32_t number = 0; number < ForeignKeys::kPromises + 10; ++number)
        REQUIRE(foreign.promise(tuple_of_port(number), 0, 100));
    CHECK(foreign.promises() == ForeignKeys::kPromises);
    CHECK(two.other->keys().find(tuple_of_port(9)).is_none());
    CHECK(two.other->keys().find(tuple_of_port(10)).is_foreign());
    REQUIRE(foreign.add(tuple_of_port(10), 0));
    REQUIRE(foreign.add(tuple_of_port(10), 1));
    CHECK(two.other->keys().find(tuple_of_port(10)).worker() == 1);
}

}  // namespace rampart::test
