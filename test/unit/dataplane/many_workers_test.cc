// Many workers: replies come to the worker that has the flow, whoever spreads the packets.
//
// The NIC is modelled bit by bit (support/nic_model.h); its key is symmetric and its table of
// queues is random.
#include <random>

#include <catch2/catch.hpp>

#include "dataplane/steering.h"
#include "nat/binding.h"
#include "support/dpdk_session.h"
#include "support/nic_model.h"

namespace rampart::test {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17;

struct Home {
    const Steering& steering;
    const FlowTable& flows;
    uint16_t worker;
    uint16_t owner_of(const Tuple& tuple) const {
        return steering.owner_of(tuple, flows.keys().hash_of(tuple));
    }
    static bool is_home(const void* what, const Tuple& reply) noexcept {
        const Home& home = *static_cast<const Home*>(what);
        return home.owner_of(reply) == home.worker;
    }
};

Tuple random_tuple(std::mt19937& random, Family family) {
    Tuple tuple;
    tuple.family = family;
    tuple.protocol = random() % 2 == 0 ? kTcp : kUdp;
    const size_t size = family == Family::Ipv4 ? 4 : 16;
    for (size_t at = 0; at < size; ++at) {
        tuple.src[at] = static_cast<uint8_t>(random());
        tuple.dst[at] = static_cast<uint8_t>(random());
    }
    tuple.src_port = be16::from_host(static_cast<uint16_t>(1 + random() % 65535));
    tuple.dst_port = be16::from_host(static_cast<uint16_t>(1 + random() % 65535));
    return tuple;
}

std::unique_ptr<FlowTable> make_table() {
    auto table = FlowTable::create({.name = DpdkSession::get().unique_name("many"),
                                    .capacity = 64,
                                    .foreign_keys = 64,
                                    .numa_node = -1,
                                    .hash = KeyedHash::from_seed(11)});
    REQUIRE(table);
    return std::move(*table);
}

// The tuple that replies to a masqueraded flow have, when `worker` bound it.
Tuple bound_reply(const Steering& steering, FlowTable& flows, KeyedRandom& random, uint16_t worker,
                  const Tuple& original) {
    const SourceIndex sources(flows, KeyedHash::from_seed(11));
    const Flow starting{};
    const Home home{steering, flows, worker};
    TupleSpace space{.flows = flows,
                     .sources = sources,
                     .random = random,
                     .now = 1,
                     .starting = starting,
                     .is_home = Home::is_home,
                     .what = &home};
    AddressBytes outside{192, 0, 2, 1};
    if (original.family == Family::Ipv6) outside = {0x20, 1, 0xd, 0xb8, 0, 2};
    Binding binding(original);
    bind(space, binding, Manip::Source, {.has_addresses = true, .first = outside, .last = outside});
    return binding.reply();
}

}  // namespace

TEST_CASE("with software steering all workers agree on the owner, replies come home to it") {
    const uint16_t workers = GENERATE(uint16_t{2}, uint16_t{4});
    const Family family = GENERATE(Family::Ipv4, Family::Ipv6);
    const Steering steering = Steering::software(workers);
    const auto flows = make_table();
    KeyedRandom ports(KeyedHash::from_seed(11));
    std::mt19937 random(37);
    std::vector<size_t> owned(workers);
    for (int round = 0; round < 20'000; ++round) {
        const Tuple original = random_tuple(random, family);
        const Home home{steering, *flows, 0};
        const uint16_t owner = home.owner_of(original);
        REQUIRE(owner < workers);
        ++owned[owner];
        REQUIRE(home.owner_of(invert(original)) == owner);
        REQUIRE(home.owner_of(bound_reply(steering, *flows, ports, owner, original)) == owner);
    }
    for (const size_t count : owned)
        CHECK(count > 20'000u / workers * 8 / 10);
}

TEST_CASE("with a NIC that spreads, replies come to the queue of the worker that has the flow") {
    const uint16_t workers = GENERATE(uint16_t{2}, uint16_t{4});
    const Family family = GENERATE(Family::Ipv4, Family::Ipv6);
    std::mt19937 random(41);
    for (int key = 0; key < 20; ++key) {
        const NicModel nic(random, workers);
        const Steering steering = Steering::hardware(workers, nic.rss());
        const auto flows = make_table();
        KeyedRandom ports(KeyedHash::from_seed(11));
        for (int round = 0; round < 500; ++round) {
            const Tuple original = random_tuple(random, family);
            const uint16_t owner = nic.queue_of(original);
            const Home home{steering, *flows, owner};
            REQUIRE(nic.queue_of(invert(original)) == owner);
            REQUIRE(home.owner_of(original) == owner);
            const Tuple reply = bound_reply(steering, *flows, ports, owner, original);
            REQUIRE(nic.queue_of(reply) == owner);
            REQUIRE(home.owner_of(reply) == owner);
        }
    }
}

}  // namespace rampart::test
