#include <random>
#include <set>

#include <catch2/catch.hpp>

#include "routing/routing.h"
#include "support/dpdk_session.h"

namespace rampart::test {
namespace {

using State = NeighbourWord::State;

std::unique_ptr<Routing> make_routing() {
    DpdkSession::get();
    auto routing = Routing::create({.max_routes4 = 64, .max_routes6 = 64, .compact = true});
    REQUIRE(routing);
    return std::move(*routing);
}

NeighbourKey key_of(uint32_t number, InterfaceIndex interface = 1) {
    NeighbourKey key{.interface = interface, .family = Family::Ipv4, .address = {}};
    __builtin_memcpy(key.address.data(), &number, sizeof number);
    return key;
}

MacAddress mac_of(uint32_t number) {
    MacAddress mac{2};
    __builtin_memcpy(mac.data() + 1, &number, sizeof number);
    return mac;
}

MacAddress found_mac(const Routing& routing, const NeighbourKey& key) {
    MacAddress mac{};
    routing.neighbour(routing.find_neighbour(key)).copy_mac(mac.data());
    return mac;
}

}  // namespace

TEST_CASE("a neighbour's word says its state, interface and link address") {
    const MacAddress mac{0x02, 0x11, 0x22, 0x33, 0x44, 0xff};
    const NeighbourWord word(State::Resolved, 63, mac);
    CHECK(word.state() == State::Resolved);
    CHECK(word.interface() == 63);
    CHECK(word.is_resolved());
    MacAddress copy{};
    word.copy_mac(copy.data());
    CHECK(copy == mac);
    CHECK(NeighbourWord{}.state() == State::None);
    CHECK(NeighbourWord(word.raw()).raw() == word.raw());
}

TEST_CASE("a neighbour is told apart by address, family and interface") {
    const auto routing = make_routing();
    CHECK(routing->find_neighbour(key_of(1)) == kNoNeighbour);
    CHECK(routing->neighbour(kNoNeighbour).state() == State::None);
    routing->set_neighbour(key_of(1), State::Resolved, mac_of(1));
    routing->set_neighbour(key_of(1, 2), State::Resolved, mac_of(2));
    NeighbourKey six = key_of(1);
    six.family = Family::Ipv6;
    CHECK(routing->find_neighbour(six) == kNoNeighbour);
    routing->set_neighbour(six, State::Failed, {});
    CHECK(found_mac(*routing, key_of(1)) == mac_of(1));
    CHECK(found_mac(*routing, key_of(1, 2)) == mac_of(2));
    CHECK(routing->neighbour(routing->find_neighbour(six)).state() == State::Failed);
    CHECK(routing->neighbours().size() == 3);
}

TEST_CASE("a neighbour changes in place and says so") {
    const auto routing = make_routing();
    routing->set_neighbour(key_of(1), State::Unresolved, {});
    const NeighbourSlot slot = routing->find_neighbour(key_of(1));
    uint32_t version = routing->version();
    const auto has_changed = [&] { return std::exchange(version, routing->version()) != version; };
    routing->set_neighbour(key_of(1), State::Resolved, mac_of(1));
    CHECK(has_changed());
    CHECK(routing->neighbour(slot).is_resolved());
    routing->set_neighbour(key_of(1), State::Resolved, mac_of(1));
    CHECK_FALSE(has_changed());
    routing->set_neighbour(key_of(1), State::Failed, {});
    CHECK(has_changed());
    CHECK(routing->neighbour(slot).state() == State::Failed);
    CHECK(routing->find_neighbour(key_of(1)) == slot);
}

TEST_CASE("a slot is given to nobody else before the epoch has changed") {
    const auto routing = make_routing();
    routing->set_neighbour(key_of(1), State::Resolved, mac_of(1));
    const NeighbourSlot slot = routing->find_neighbour(key_of(1));
    const uint32_t epoch = routing->epoch();
    routing->remove_neighbour(key_of(1));
    CHECK(routing->find_neighbour(key_of(1)) == kNoNeighbour);
    CHECK(routing->neighbour(slot).state() == State::None);
    for (uint32_t i = 2; i < 50; ++i)
        routing->set_neighbour(key_of(i), State::Resolved, mac_of(i));
    CHECK(routing->neighbour(slot).state() == State::None);
    CHECK(routing->epoch() == epoch);

    routing->set_link(1, true, 1500, {});
    routing->apply([] {});
    CHECK(routing->epoch() != epoch);
    routing->set_neighbour(key_of(99), State::Resolved, mac_of(99));
    CHECK(routing->find_neighbour(key_of(99)) == slot);
}

TEST_CASE("neighbours that come and go leave room for all that are there") {
    const auto routing = make_routing();
    uint32_t epoch = routing->epoch();
    unsigned epochs = 0;
    for (uint32_t i = 0; i < 200'000; ++i) {
        routing->set_neighbour(key_of(i), State::Resolved, mac_of(i));
        if (i >= 1000) routing->remove_neighbour(key_of(i - 1000));
        if (i % 100 == 0) routing->apply([] {});
        epochs += std::exchange(epoch, routing->epoch()) != epoch;
    }
    CHECK(routing->neighbours_left_out() == 0);
    CHECK(routing->neighbours().size() == 1000);
    CHECK(epochs > 0);
    CHECK(epochs < 50);
    CHECK(found_mac(*routing, key_of(199'999)) == mac_of(199'999));
    CHECK(routing->find_neighbour(key_of(5)) == kNoNeighbour);
}

TEST_CASE("a full table leaves neighbours out") {
    const auto routing = make_routing();
    for (uint32_t i = 0; i < Routing::kMaxNeighbours + 10; ++i)
        routing->set_neighbour(key_of(i), State::Resolved, mac_of(i));
    CHECK(routing->neighbours_left_out() == 10);
    std::mt19937 random(1);
    for (int i = 0; i < 1000; ++i) {
        const auto number = static_cast<uint32_t>(random() % Routing::kMaxNeighbours);
        CHECK(found_mac(*routing, key_of(number)) == mac_of(number));
    }
    CHECK(routing->find_neighbour(key_of(Routing::kMaxNeighbours + 1)) == kNoNeighbour);
}

TEST_CASE("a request is passed on once until it is taken") {
    const auto routing = make_routing();
    CHECK(routing->take_requests().empty());
    for (int i = 0; i < 5; ++i)
        routing->request(key_of(1));
    routing->request(key_of(2));
    CHECK(routing->take_requests() == std::vector{key_of(1), key_of(2)});
    CHECK(routing->take_requests().empty());
    routing->request(key_of(1));
    CHECK(routing->take_requests().size() == 1);
}

TEST_CASE("too many requests are forgotten, and may be made again") {
    const auto routing = make_routing();
    for (uint32_t i = 0; i < 2 * Routing::kMaxRequests; ++i)
        routing->request(key_of(i));
    CHECK(routing->take_requests().size() == Routing::kMaxRequests);
    routing->request(key_of(2 * Routing::kMaxRequests - 1));
    CHECK(routing->take_requests().size() == 1);
}

TEST_CASE("neighbours in use are those that packets asked for") {
    const auto routing = make_routing();
    for (uint32_t i = 0; i < 10; ++i)
        routing->set_neighbour(key_of(i), State::Resolved, mac_of(i));
    CHECK(routing->take_used().empty());
    (void)routing->neighbour(routing->find_neighbour(key_of(3)));
    (void)routing->neighbour(routing->find_neighbour(key_of(7)));
    CHECK(routing->take_used() == std::vector{key_of(3), key_of(7)});
    CHECK(routing->take_used().empty());
}

}  // namespace rampart::test
