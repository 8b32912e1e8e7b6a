#include "unit/kernel/kernel_bed.h"

#include <cstdlib>
#include <sched.h>

#include <catch2/catch.hpp>

#include "support/dpdk_session.h"

namespace rampart::test {
namespace {

constexpr const char* kNames[] = {"lan", "wan", "guest"};

std::string name_of(InterfaceIndex index) {
    return index < 3 ? kNames[index] : "nowhere";
}

std::unique_ptr<Routing> make_routing() {
    DpdkSession::get();
    auto routing = Routing::create({.compact = true});
    REQUIRE(routing);
    return std::move(*routing);
}

}  // namespace

void enter_namespace() {
    REQUIRE(unshare(CLONE_NEWNET) == 0);
    shell("ip link set lo up");
    // Addresses can be used at once.
    shell("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0");
}

void shell(const std::string& command) {
    INFO(command);
    REQUIRE(std::system(command.c_str()) == 0);  // NOLINT: a test's own words
}

// The kernel takes IPv6 addresses into use, and makes their local routes, behind the back of
// whoever added them: in its own time, with the lock in hand that changes of links need, too.
void wait_for_addresses() {
    shell(
        "for i in $(seq 500); do [ -z \"$(ip -6 -o addr show tentative)\" ] && break;"
        " sleep 0.01; done");
    shell("ip link set lo up");
}

KernelBed::KernelBed() {
    enter_namespace();
    routing_ = make_routing();
    auto links = LinkSetup::open();
    REQUIRE(links);
    auto lan = Twin::create({"lan", "lan", kLanMac, 1500}, *links);
    auto wan = Twin::create({"wan", "wan", kWanMac, 1500}, *links);
    REQUIRE(lan);
    REQUIRE(wan);
    lan_ = std::move(*lan);
    wan_ = std::move(*wan);
    auto guest = links->add_vlan(lan_->link(), "guest", 30, 1500);
    if (!guest) {  // a kernel without VLANs
        WARN(guest.error().message);
        auto port = Twin::create({"guest", "guest", kLanMac, 1500}, *links);
        REQUIRE(port);
        guest_ = std::move(*port);
        guest = guest_->link();
    }
    REQUIRE(links->set_up(*guest));
    links_ = {lan_->link(), wan_->link(), *guest};
    REQUIRE(links->add_address(links_[kLan], *IpPrefix::parse("10.1.0.1/24")));
    REQUIRE(links->add_address(links_[kLan], *IpPrefix::parse("2001:db8:1::1/64")));
    REQUIRE(links->add_address(links_[kWan], *IpPrefix::parse("192.0.2.1/24")));
    REQUIRE(links->add_address(links_[kWan], *IpPrefix::parse("2001:db8:2::1/64")));
    REQUIRE(links->add_address(links_[kGuest], *IpPrefix::parse("10.30.0.1/24")));
    make_mirror();
}

void KernelBed::make_mirror() {
    auto mirror = Mirror::create(*routing_, links_);
    REQUIRE(mirror);
    mirror_ = std::move(*mirror);
    sync();
}

void KernelBed::sync() {
    wait_for_addresses();
    while (mirror_->listen()) {
    }
    now_ns_ += 2'000'000'000;
    mirror_->work(now_ns_, [] {});
}

std::string KernelBed::find(const std::string& destination, uint32_t flow_hash) const {
    const auto address = IpAddress::parse(destination);
    REQUIRE(address);
    const Route route = routing_->find(address->family, address->bytes, flow_hash);
    switch (route.kind) {
        case RouteKind::NoRoute:
            return "no route";
        case RouteKind::Local:
            return "local";
        case RouteKind::OnLink:
            return "on link " + name_of(route.interface);
        case RouteKind::Gateway:
            return "via " + IpAddress{route.next_hop, route.next_hop_family}.to_string() + " " +
                   name_of(route.interface);
        case RouteKind::Blackhole:
            return "blackhole";
        case RouteKind::Unreachable:
            return "unreachable";
        case RouteKind::Prohibit:
            return "prohibit";
    }
    return "?";
}

std::string KernelBed::neighbour(InterfaceIndex interface, const std::string& text) const {
    const auto address = IpAddress::parse(text);
    REQUIRE(address);
    const NeighbourWord word =
        routing_->neighbour(routing_->find_neighbour({interface, address->family, address->bytes}));
    MacAddress mac{};
    word.copy_mac(mac.data());
    switch (word.state()) {
        case NeighbourWord::State::None:
            return "none";
        case NeighbourWord::State::Unresolved:
            return "unresolved";
        case NeighbourWord::State::Resolved:
            return to_string(mac);
        case NeighbourWord::State::Failed:
            return "failed";
    }
    return "?";
}

std::string KernelBed::source(InterfaceIndex interface, const std::string& text) const {
    const auto peer = IpAddress::parse(text);
    REQUIRE(peer);
    IpAddress source{{}, peer->family};
    if (!routing_->source_address(interface, peer->family, peer->bytes, source.bytes))
        return "none";
    return source.to_string();
}

std::vector<Routing::RouteEntry> KernelBed::routes_after_restart() const {
    const auto routing = make_routing();
    const auto mirror = Mirror::create(*routing, links_);
    REQUIRE(mirror);
    return routing->routes();
}

}  // namespace rampart::test
