// Routes and neighbours change while a worker asks for them; the thread sanitizer runs these.
#include <array>
#include <atomic>
#include <random>
#include <thread>

#include <catch2/catch.hpp>

#include "routing/routing.h"
#include "support/dpdk_session.h"

namespace rampart::test {
namespace {

constexpr uint8_t kPrefixes = 32;

// A worker as Routing sees it: it counts its loops, and wait() returns when it has ended one.
class Reader {
  public:
    explicit Reader(std::function<void()> loop)
        : thread_([this, loop = std::move(loop)] {
              while (!stop_.load(std::memory_order_relaxed)) {
                  loop();
                  loops_.fetch_add(1, std::memory_order_acq_rel);
              }
          }) {}
    ~Reader() {
        stop_.store(true);
        thread_.join();
    }
    void wait() const {
        const uint64_t target = loops_.load(std::memory_order_acquire) + 2;
        while (loops_.load(std::memory_order_acquire) < target)
            std::this_thread::yield();
    }
    uint64_t loops() const { return loops_.load(std::memory_order_relaxed); }

  private:
    std::atomic<bool> stop_{false};
    std::atomic<uint64_t> loops_{0};
    std::thread thread_;
};

AddressBytes address_of(uint8_t number) {
    return {10, number, 0, 1};
}

// The route to 10.N.0.0/16 is on link at an interface whose MTU is 1000 + 10 * its number, if it
// is there.
Routing::RouteEntry route_to(uint8_t number, InterfaceIndex interface) {
    return {.prefix = {{address_of(number), Family::Ipv4}, 16},
            .kind = RouteKind::OnLink,
            .hops = {{.interface = interface}}};
}

std::unique_ptr<Routing> make_routing() {
    DpdkSession::get();
    auto routing = Routing::create({.max_routes4 = 1024, .max_routes6 = 64, .compact = true});
    REQUIRE(routing);
    return std::move(*routing);
}

}  // namespace

TEST_CASE("a worker finds whole answers while routes change") {
    const auto routing = make_routing();
    for (InterfaceIndex i = 0; i < 8; ++i)
        routing->set_link(i, true, static_cast<uint16_t>(1000 + 10 * i), {});
    routing->apply([] {});
    std::atomic<uint64_t> found{0}, wrong{0};
    const Reader reader([&] {
        for (uint8_t number = 0; number < kPrefixes; ++number) {
            const Route route = routing->find(Family::Ipv4, address_of(number), number);
            if (route.kind == RouteKind::NoRoute) continue;
            found.fetch_add(1, std::memory_order_relaxed);
            if (route.kind != RouteKind::OnLink ||
                routing->mtu(route.interface) != 1000 + 10 * route.interface)
                wrong.fetch_add(1, std::memory_order_relaxed);
        }
    });
    std::mt19937 random(5);
    for (int round = 0; round < 300; ++round) {
        for (int i = 0; i < 10; ++i) {
            const auto number = static_cast<uint8_t>(random() % kPrefixes);
            if (random() % 3 == 0)
                routing->remove(route_to(number, 0));
            else
                routing->add(route_to(number, static_cast<InterfaceIndex>(random() % 8)));
        }
        routing->apply([&] { reader.wait(); });
    }
    CHECK(found > 0);
    CHECK(wrong == 0);
}

TEST_CASE("a worker never sees a neighbour's link address under another's name") {
    const auto routing = make_routing();
    const auto key = [](uint8_t number) {
        return NeighbourKey{1, Family::Ipv4, address_of(number)};
    };
    struct Known {
        NeighbourSlot slot = kNoNeighbour;
        uint32_t epoch = 0;
    };
    std::array<Known, 256> known;
    std::atomic<uint64_t> resolved{0}, wrong{0};
    const Reader reader([&] {
        const uint32_t epoch = routing->epoch();
        for (unsigned number = 0; number < known.size(); ++number) {
            Known& entry = known[number];
            if (entry.slot == kNoNeighbour || entry.epoch != epoch)
                entry = {routing->find_neighbour(key(static_cast<uint8_t>(number))), epoch};
            const NeighbourWord word = routing->neighbour(entry.slot);
            if (word.state() == NeighbourWord::State::None) {
                routing->request(key(static_cast<uint8_t>(number)));
                entry.slot = kNoNeighbour;
                continue;
            }
            MacAddress mac;
            word.copy_mac(mac.data());
            resolved.fetch_add(1, std::memory_order_relaxed);
            if (mac[5] != number) wrong.fetch_add(1, std::memory_order_relaxed);
        }
    });
    std::mt19937 random(6);
    uint64_t requests = 0;
    for (int round = 0; round < 300; ++round) {
        for (int i = 0; i < 50; ++i) {
            const auto number = static_cast<uint8_t>(random() % known.size());
            if (random() % 2 == 0)
                routing->remove_neighbour(key(number));
            else
                routing->set_neighbour(key(number), NeighbourWord::State::Resolved,
                                       {2, 0, 0, 0, 0, number});
        }
        requests += routing->take_requests().size();
        (void)routing->take_used();
        routing->set_link(1, round % 2 == 0, 1500, {});
        routing->apply([&] { reader.wait(); });
    }
    CHECK(reader.loops() > 300);
    CHECK(resolved > 0);
    CHECK(requests > 0);
    CHECK(wrong == 0);
}

}  // namespace rampart::test
