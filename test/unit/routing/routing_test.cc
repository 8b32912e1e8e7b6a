#include "routing/routing.h"

#include <map>
#include <random>

#include <catch2/catch.hpp>

#include "support/dpdk_session.h"

namespace rampart::test {
namespace {

std::unique_ptr<Routing> make_routing(Routing::Options options = {.compact = true}) {
    DpdkSession::get();
    auto routing = Routing::create(options);
    REQUIRE(routing);
    return std::move(*routing);
}

Routing::RouteEntry on_link(const std::string& prefix, InterfaceIndex interface,
                            uint32_t metric = 0) {
    return {.prefix = *IpPrefix::parse(prefix),
            .kind = RouteKind::OnLink,
            .metric = metric,
            .hops = {{.interface = interface}}};
}

Routing::Hop via(const std::string& gateway, InterfaceIndex interface, unsigned weight = 1) {
    const auto address = IpAddress::parse(gateway);
    REQUIRE(address);
    return {interface, address->family, address->bytes, weight};
}

Route find(const Routing& routing, const std::string& destination, uint32_t flow_hash = 0) {
    const auto address = IpAddress::parse(destination);
    REQUIRE(address);
    return routing.find(address->family, address->bytes, flow_hash);
}

void apply(Routing& routing) {
    routing.apply([] {});
}

std::string source(const Routing& routing, InterfaceIndex interface, const std::string& peer) {
    const auto address = IpAddress::parse(peer);
    REQUIRE(address);
    IpAddress found{.bytes = {}, .family = address->family};
    if (!routing.source_address(interface, address->family, address->bytes, found.bytes))
        return "none";
    return found.to_string();
}

InterfaceAddress address(const std::string& text, bool is_link_scope = false) {
    const auto parsed = IpAddress::parse(text.substr(0, text.find('/')));
    REQUIRE(parsed);
    return {*parsed, static_cast<unsigned>(std::stoul(text.substr(text.find('/') + 1))),
            is_link_scope};
}

bool is_same(const IpPrefix& a, const IpPrefix& b) {
    return a.address == b.address && a.length == b.length;
}

// Longest prefix match as anybody would write it.
class Model {
  public:
    void add(const IpPrefix& prefix, InterfaceIndex interface) {
        remove(prefix);
        routes_.emplace_back(prefix, interface);
    }
    void remove(const IpPrefix& prefix) {
        std::erase_if(routes_, [&](const auto& route) { return is_same(route.first, prefix); });
    }
    InterfaceIndex find(const IpAddress& address) const {
        InterfaceIndex best = kNoInterface;
        unsigned length = 0;
        for (const auto& [prefix, interface] : routes_) {
            if (!prefix.range().contains(address) || prefix.length < length) continue;
            best = interface;
            length = prefix.length;
        }
        return best;
    }
    const std::vector<std::pair<IpPrefix, InterfaceIndex>>& routes() const { return routes_; }

  private:
    std::vector<std::pair<IpPrefix, InterfaceIndex>> routes_;
};

// Few different bits, so that prefixes lie within each other.
IpAddress random_address(Family family, std::mt19937& random) {
    IpAddress address{.bytes = {}, .family = family};
    address.bytes[0] = family == Family::Ipv4 ? 10 : 0x20;
    for (size_t i = 1; i < address_bits(family) / 8; ++i)
        address.bytes[i] = static_cast<uint8_t>(random() % 2 * 0x80 + random() % 3);
    return address;
}

IpPrefix random_prefix(Family family, std::mt19937& random) {
    const auto length = static_cast<unsigned>(random() % (address_bits(family) + 1));
    const IpPrefix prefix{random_address(family, random), length};
    return {prefix.range().first, length};
}

void compare(const Routing& routing, const Model& model, Family family, std::mt19937& random) {
    for (int i = 0; i < 300; ++i) {
        IpAddress destination = random_address(family, random);
        if (i % 3 != 0 && !model.routes().empty())
            destination = model.routes()[random() % model.routes().size()].first.address;
        const Route route = routing.find(family, destination.bytes, 0);
        const InterfaceIndex expected = model.find(destination);
        INFO(destination.to_string());
        CHECK(route.kind == (expected == kNoInterface ? RouteKind::NoRoute : RouteKind::OnLink));
        CHECK(route.interface == expected);
    }
}

void follow_model(Family family, bool compact, uint32_t seed) {
    const auto routing =
        make_routing({.max_routes4 = 2048, .max_routes6 = 2048, .compact = compact});
    std::mt19937 random(seed);
    Model model;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 40; ++i) {
            if (random() % 3 == 0 && !model.routes().empty()) {
                const IpPrefix gone = model.routes()[random() % model.routes().size()].first;
                model.remove(gone);
                routing->remove({.prefix = gone, .hops = {}});
                continue;
            }
            const IpPrefix prefix = random_prefix(family, random);
            const auto interface = static_cast<InterfaceIndex>(random() % 8);
            model.add(prefix, interface);
            routing->add(
                {.prefix = prefix, .kind = RouteKind::OnLink, .hops = {{.interface = interface}}});
        }
        apply(*routing);
        compare(*routing, model, family, random);
    }
    CHECK(routing->routes_left_out() == 0);
}

}  // namespace

TEST_CASE("random routes are found as a plain search finds them") {
    const bool compact = GENERATE(true, false);
    const Family family = GENERATE(Family::Ipv4, Family::Ipv6);
    follow_model(family, compact, 7);
}

TEST_CASE("what no route covers has none, and groups of hosts are the box's own") {
    const auto routing = make_routing();
    CHECK(find(*routing, "192.0.2.1").kind == RouteKind::NoRoute);
    CHECK(find(*routing, "2001:db8::1").kind == RouteKind::NoRoute);
    for (const char* group : {"224.0.0.5", "239.1.2.3", "255.255.255.255", "ff02::1"})
        CHECK(find(*routing, group).kind == RouteKind::Local);
    routing->add(on_link("0.0.0.0/0", 1));
    routing->add(on_link("::/0", 2));
    apply(*routing);
    CHECK(find(*routing, "192.0.2.1").interface == 1);
    CHECK(find(*routing, "2001:db8::1").interface == 2);
    CHECK(find(*routing, "224.0.0.5").kind == RouteKind::Local);
    routing->clear_routes();
    apply(*routing);
    CHECK(find(*routing, "192.0.2.1").kind == RouteKind::NoRoute);
    CHECK(find(*routing, "ff02::1").kind == RouteKind::Local);
}

TEST_CASE("a network's broadcast address is told apart from the box's own") {
    const auto routing = make_routing();
    routing->add({.prefix = *IpPrefix::parse("192.0.2.1/32"),
                  .kind = RouteKind::Local,
                  .hops = {{.interface = 1}}});
    routing->add({.prefix = *IpPrefix::parse("192.0.2.255/32"),
                  .kind = RouteKind::Local,
                  .hops = {{.interface = 1}},
                  .is_broadcast = true});
    apply(*routing);
    CHECK(find(*routing, "192.0.2.255").kind == RouteKind::Local);
    CHECK(find(*routing, "192.0.2.255").interface == 1);
    CHECK(find(*routing, "192.0.2.255").is_broadcast);
    CHECK_FALSE(find(*routing, "192.0.2.1").is_broadcast);
}

TEST_CASE("a route says its kind, its interface and its gateway") {
    const auto routing = make_routing();
    routing->add({.prefix = *IpPrefix::parse("10.1.0.0/16"),
                  .kind = RouteKind::OnLink,
                  .hops = {via("192.0.2.254", 3)}});
    routing->add({.prefix = *IpPrefix::parse("10.2.0.0/16"),
                  .kind = RouteKind::OnLink,
                  .hops = {via("fe80::1", 4)}});
    routing->add({.prefix = *IpPrefix::parse("192.0.2.1"),
                  .kind = RouteKind::Local,
                  .hops = {{.interface = 3}}});
    for (const RouteKind kind :
         {RouteKind::Blackhole, RouteKind::Unreachable, RouteKind::Prohibit}) {
        IpPrefix prefix = *IpPrefix::parse("10.3.0.0/24");
        prefix.address.bytes[2] = static_cast<uint8_t>(kind);
        routing->add({.prefix = prefix, .kind = kind, .hops = {}});
    }
    apply(*routing);

    const Route gateway = find(*routing, "10.1.2.3");
    CHECK(gateway.kind == RouteKind::Gateway);
    CHECK(gateway.interface == 3);
    CHECK(gateway.next_hop_family == Family::Ipv4);
    CHECK(gateway.next_hop == IpAddress::parse("192.0.2.254")->bytes);
    const Route mixed = find(*routing, "10.2.2.3");
    CHECK(mixed.next_hop_family == Family::Ipv6);
    CHECK(mixed.next_hop == IpAddress::parse("fe80::1")->bytes);
    CHECK(find(*routing, "192.0.2.1").kind == RouteKind::Local);
    CHECK(find(*routing, "192.0.2.1").interface == 3);
    CHECK(find(*routing, "10.3.4.1").kind == RouteKind::Blackhole);
    CHECK(find(*routing, "10.3.5.1").kind == RouteKind::Unreachable);
    CHECK(find(*routing, "10.3.6.1").kind == RouteKind::Prohibit);
}

TEST_CASE("of several routes for a prefix the one with the least metric counts") {
    const auto routing = make_routing();
    routing->add(on_link("10.0.0.0/8", 1, 200));
    routing->add(on_link("10.0.0.0/8", 2, 100));
    apply(*routing);
    CHECK(find(*routing, "10.1.1.1").interface == 2);
    routing->add(on_link("10.0.0.0/8", 3, 300));
    const uint32_t epoch = routing->epoch();
    apply(*routing);
    CHECK(routing->epoch() == epoch);  // nothing that counts
    routing->remove(on_link("10.0.0.0/8", 2, 100));
    apply(*routing);
    CHECK(find(*routing, "10.1.1.1").interface == 1);
    CHECK(routing->epoch() != epoch);
    CHECK(routing->routes().size() == 4);  // with the three that are always there
}

TEST_CASE("the same hash gets the same hop, in proportion to the weights") {
    const auto routing = make_routing();
    for (InterfaceIndex i = 1; i <= 3; ++i)
        routing->set_link(i, true, 1500, {});
    routing->add({.prefix = *IpPrefix::parse("0.0.0.0/0"),
                  .kind = RouteKind::OnLink,
                  .hops = {via("192.0.2.1", 1, 1), via("192.0.2.2", 2, 2), {.interface = 3}}});
    apply(*routing);
    std::mt19937 random(3);
    std::map<InterfaceIndex, int> chosen;
    for (int i = 0; i < 4000; ++i) {
        const auto hash = static_cast<uint32_t>(random());
        const Route route = find(*routing, "10.0.0.1", hash);
        CHECK(find(*routing, "10.0.0.2", hash).interface == route.interface);
        CHECK(route.kind == (route.interface == 3 ? RouteKind::OnLink : RouteKind::Gateway));
        ++chosen[route.interface];
    }
    CHECK(chosen[1] == Approx(1000).margin(150));
    CHECK(chosen[2] == Approx(2000).margin(150));
    CHECK(chosen[3] == Approx(1000).margin(150));
    CHECK(find(*routing, "10.0.0.1", 0).interface == 1);
    CHECK(find(*routing, "10.0.0.1", 0xffffffff).interface == 3);
}

TEST_CASE("a hop whose link is down is not chosen while another one is up") {
    const auto routing = make_routing();
    routing->set_link(1, true, 1500, {});
    routing->set_link(2, true, 1500, {});
    routing->add({.prefix = *IpPrefix::parse("::/0"),
                  .kind = RouteKind::OnLink,
                  .hops = {via("fe80::1", 1), via("fe80::2", 2)}});
    apply(*routing);
    CHECK(find(*routing, "2001:db8::1", 0).interface == 1);
    routing->set_link(1, false, 1500, {});
    apply(*routing);
    CHECK(find(*routing, "2001:db8::1", 0).interface == 2);
    routing->set_link(2, false, 1500, {});
    apply(*routing);
    CHECK(find(*routing, "2001:db8::1", 0).interface == 1);
    CHECK(find(*routing, "2001:db8::1", 0xffffffff).interface == 2);
}

TEST_CASE("the epoch changes when an answer may have, and only then") {
    const auto routing = make_routing();
    const auto changes = [&](auto&& change) {
        const uint32_t epoch = routing->epoch();
        change();
        apply(*routing);
        return routing->epoch() != epoch;
    };
    CHECK(changes([&] { routing->add(on_link("10.0.0.0/8", 1)); }));
    CHECK_FALSE(changes([&] { routing->add(on_link("10.0.0.0/8", 1)); }));
    CHECK_FALSE(changes([&] { routing->remove(on_link("10.0.0.0/9", 1)); }));
    CHECK_FALSE(changes([] {}));
    CHECK(changes([&] { routing->set_link(1, true, 1500, {}); }));
    CHECK_FALSE(changes([&] { routing->set_link(1, true, 1500, {}); }));
    CHECK(changes([&] { routing->set_addresses(1, {address("10.0.0.1/8")}); }));
    CHECK_FALSE(changes([&] { routing->set_addresses(1, {address("10.0.0.1/8")}); }));
    // A dump after lost messages brings what is known already.
    CHECK_FALSE(changes([&] {
        routing->clear_routes();
        routing->add(on_link("10.0.0.0/8", 1));
    }));
}

TEST_CASE("an interface has its own link address, further ones, and those of groups") {
    const auto routing = make_routing();
    const MacAddress own{2, 0, 0, 0, 0, 1}, virtual_router{0, 0, 0x5e, 0, 1, 7};
    const MacAddress other{2, 0, 0, 0, 0, 2}, group{1, 0, 0x5e, 0, 0, 5};
    CHECK_FALSE(routing->is_own_mac(1, own.data()));
    CHECK_FALSE(routing->is_link_up(1));
    routing->set_link(1, true, 9000, {own, virtual_router});
    apply(*routing);
    CHECK(routing->is_own_mac(1, own.data()));
    CHECK(routing->is_own_mac(1, virtual_router.data()));
    CHECK(routing->is_own_mac(1, group.data()));
    CHECK_FALSE(routing->is_own_mac(1, other.data()));
    CHECK_FALSE(routing->is_own_mac(2, own.data()));
    CHECK(routing->is_link_up(1));
    CHECK(routing->mtu(1) == 9000);
    MacAddress copy{};
    routing->copy_own_mac(1, copy.data());
    CHECK(copy == own);
    CHECK_FALSE(routing->is_link_up(kNoInterface));
}

TEST_CASE("the source address is the one that Linux would choose") {
    const auto routing = make_routing();
    CHECK(source(*routing, 1, "192.0.2.9") == "none");
    routing->set_addresses(
        1, {address("169.254.0.1/16", true), address("192.0.2.1/24"), address("198.51.100.1/24"),
            address("192.0.2.2/24"), address("fe80::1/64", true), address("2001:db8::1/64"),
            address("fd00:1::1/64")});
    routing->set_addresses(2, {address("fe80::2/64", true)});
    apply(*routing);
    CHECK(source(*routing, 1, "192.0.2.9") == "192.0.2.1");
    CHECK(source(*routing, 1, "198.51.100.9") == "198.51.100.1");
    CHECK(source(*routing, 1, "8.8.8.8") == "192.0.2.1");
    CHECK(source(*routing, 1, "169.254.9.9") == "169.254.0.1");
    CHECK(source(*routing, 1, "fe80::9") == "fe80::1");
    CHECK(source(*routing, 1, "2001:4860::8888") == "2001:db8::1");
    CHECK(source(*routing, 1, "fd99::1") == "fd00:1::1");
    // A port without a suitable address speaks with another one's.
    CHECK(source(*routing, 2, "8.8.8.8") == "192.0.2.1");
    CHECK(source(*routing, 2, "fe80::9") == "fe80::2");
    CHECK(source(*routing, 2, "2001:4860::8888") == "2001:db8::1");
    routing->set_addresses(kNoInterface, {address("203.0.113.1/32")});
    apply(*routing);
    CHECK(source(*routing, 2, "8.8.8.8") == "203.0.113.1");
    CHECK(source(*routing, 1, "8.8.8.8") == "192.0.2.1");
}

TEST_CASE("routes that find no room are counted, and tried again when others go") {
    const auto routing = make_routing({.max_routes4 = 8, .max_routes6 = 8, .compact = true});
    const auto host = [](int i) { return on_link("10.0.0." + std::to_string(i), 1); };
    for (int i = 1; i <= 100; ++i)
        routing->add(host(i));
    apply(*routing);
    const size_t left_out = routing->routes_left_out();
    CHECK(left_out > 0);
    CHECK(left_out < 100);
    const auto count_found = [&] {
        size_t found = 0;
        for (int i = 1; i <= 100; ++i)
            found += find(*routing, "10.0.0." + std::to_string(i)).kind == RouteKind::OnLink;
        return found;
    };
    CHECK(count_found() == 100 - left_out);
    CHECK(find(*routing, "10.0.0.100").kind == RouteKind::NoRoute);
    for (int i = 1; i < 100; ++i)
        routing->remove(host(i));
    apply(*routing);
    apply(*routing);
    CHECK(routing->routes_left_out() == 0);
    CHECK(find(*routing, "10.0.0.100").kind == RouteKind::OnLink);
    CHECK(count_found() == 1);
}

TEST_CASE("more groups of hops than there may be leave routes out") {
    const auto routing = make_routing({.max_groups = 4, .compact = true});
    for (int i = 1; i <= 10; ++i)
        routing->add(on_link("10.0.0." + std::to_string(i), static_cast<InterfaceIndex>(i)));
    apply(*routing);
    CHECK(routing->routes_left_out() == 7);  // one group is that of the multicast addresses
    for (int i = 1; i <= 3; ++i)
        routing->remove(on_link("10.0.0." + std::to_string(i), 0));
    apply(*routing);
    apply(*routing);
    CHECK(routing->routes_left_out() <= 7);
    routing->clear_routes();
    apply(*routing);
    CHECK(routing->routes_left_out() == 0);
}

}  // namespace rampart::test
