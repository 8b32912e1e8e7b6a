// What the tables have after `ip` has changed the kernel's.
#include <fstream>

#include <catch2/catch.hpp>

#include "unit/kernel/kernel_bed.h"

namespace rampart::test {

TEST_CASE("the kernel's own addresses and networks are there from the start") {
    KernelBed bed;
    CHECK(bed.find("10.1.0.1") == "local");
    CHECK(bed.find("10.1.0.255") == "local");
    CHECK(bed.find("10.1.0.9") == "on link lan");
    CHECK(bed.find("10.30.0.9") == "on link guest");
    CHECK(bed.find("2001:db8:2::1") == "local");
    CHECK(bed.find("2001:db8:2::9") == "on link wan");
    CHECK(bed.find("127.0.0.1") == "local");
    CHECK(bed.find("ff02::5") == "local");
    CHECK(bed.find("198.51.100.1") == "no route");
    CHECK(bed.find("2001:db8:9::1") == "no route");
    MacAddress mac{};
    bed.routing().copy_own_mac(KernelBed::kGuest, mac.data());
    CHECK(mac == KernelBed::kLanMac);
    CHECK(bed.routing().is_link_up(KernelBed::kLan));
    CHECK(bed.routing().is_link_up(KernelBed::kGuest));
    CHECK(bed.source(KernelBed::kWan, "8.8.8.8") == "192.0.2.1");
    CHECK(bed.source(KernelBed::kGuest, "10.30.0.7") == "10.30.0.1");
}

TEST_CASE("routes come, change and go") {
    KernelBed bed;
    shell("ip route add default via 192.0.2.254");
    shell("ip -6 route add default via 2001:db8:2::fe");
    shell("ip route add 10.9.0.0/16 via 10.1.0.2 metric 50");
    bed.sync();
    CHECK(bed.find("8.8.8.8") == "via 192.0.2.254 wan");
    CHECK(bed.find("2001:4860::1") == "via 2001:db8:2::fe wan");
    CHECK(bed.find("10.9.9.9") == "via 10.1.0.2 lan");

    shell("ip route replace default via 192.0.2.253");
    shell("ip -6 route replace default via 2001:db8:1::fd");
    shell("ip route add 10.9.0.0/16 via 10.30.0.3 metric 20");
    bed.sync();
    CHECK(bed.find("8.8.8.8") == "via 192.0.2.253 wan");
    CHECK(bed.find("2001:4860::1") == "via 2001:db8:1::fd lan");
    CHECK(bed.find("10.9.9.9") == "via 10.30.0.3 guest");

    shell("ip route del 10.9.0.0/16 metric 20");
    shell("ip route del default");
    shell("ip -6 route del default");
    bed.sync();
    CHECK(bed.find("10.9.9.9") == "via 10.1.0.2 lan");
    CHECK(bed.find("8.8.8.8") == "no route");
    CHECK(bed.find("2001:4860::1") == "no route");
}

TEST_CASE("routes that forbid are mirrored with their kind") {
    KernelBed bed;
    for (const std::string kind : {"blackhole", "unreachable", "prohibit"}) {
        shell("ip route add " + kind + " 10.66.0.0/16");
        shell("ip -6 route add " + kind + " 2001:db8:66::/48");
        bed.sync();
        CHECK(bed.find("10.66.1.1") == kind);
        CHECK(bed.find("2001:db8:66::1") == kind);
        shell("ip route del " + kind + " 10.66.0.0/16");
        shell("ip -6 route del " + kind + " 2001:db8:66::/48");
        bed.sync();
        CHECK(bed.find("10.66.1.1") == "no route");
        CHECK(bed.find("2001:db8:66::1") == "no route");
    }
    shell("ip route add default via 192.0.2.254");
    shell("ip route add throw 10.66.0.0/16");
    bed.sync();
    CHECK(bed.find("10.66.1.1") == "no route");
}

TEST_CASE("a route with several hops has all of them") {
    KernelBed bed;
    shell("ip route add 10.9.0.0/16 nexthop via 10.1.0.2 weight 1 nexthop via 192.0.2.2 weight 1");
    shell("ip -6 route add 2001:db8:9::/48 nexthop via 2001:db8:1::2 nexthop via 2001:db8:2::2");
    bed.sync();
    CHECK(bed.find("10.9.1.1", 0) == "via 10.1.0.2 lan");
    CHECK(bed.find("10.9.1.1", 0xffffffff) == "via 192.0.2.2 wan");
    CHECK(bed.find("2001:db8:9::1", 0) == "via 2001:db8:1::2 lan");
    CHECK(bed.find("2001:db8:9::1", 0xffffffff) == "via 2001:db8:2::2 wan");

    // IPv6 takes hops one by one, too.
    shell("ip -6 route del 2001:db8:9::/48 via 2001:db8:1::2");
    bed.sync();
    CHECK(bed.find("2001:db8:9::1", 0) == "via 2001:db8:2::2 wan");
    shell("ip -6 route append 2001:db8:9::/48 via 2001:db8:1::7");
    bed.sync();
    CHECK(bed.find("2001:db8:9::1", 0) == "via 2001:db8:1::7 lan");
    CHECK(bed.find("2001:db8:9::1", 0xffffffff) == "via 2001:db8:2::2 wan");
    shell("ip -6 route del 2001:db8:9::/48");
    shell("ip route replace 10.9.0.0/16 via 10.1.0.4");
    bed.sync();
    CHECK(bed.find("10.9.1.1", 0xffffffff) == "via 10.1.0.4 lan");
    shell("ip route del 10.9.0.0/16");
    bed.sync();
    CHECK(bed.find("10.9.1.1") == "no route");
}

TEST_CASE("next hop objects are resolved, with and without the kernel's help") {
    KernelBed bed;
    const bool is_compatible = GENERATE(true, false);
    shell(std::string("sysctl -qw net.ipv4.nexthop_compat_mode=") + (is_compatible ? "1" : "0"));
    shell("ip nexthop add id 1 via 10.1.0.2 dev lan");
    shell("ip nexthop add id 2 via 192.0.2.2 dev wan");
    shell("ip nexthop add id 3 group 1,3/2");
    shell("ip nexthop add id 4 blackhole");
    shell("ip nexthop add id 6 via 2001:db8:1::2 dev lan");
    shell("ip route add 10.9.0.0/16 nhid 3");
    shell("ip route add 10.8.0.0/16 nhid 4");
    shell("ip route add 10.7.0.0/16 nhid 6");
    shell("ip -6 route add 2001:db8:9::/48 nhid 6");
    bed.sync();
    CHECK(bed.find("10.9.1.1", 0) == "via 10.1.0.2 lan");
    CHECK(bed.find("10.9.1.1", 0x7fffffff) == "via 10.1.0.2 lan");
    CHECK(bed.find("10.9.1.1", 0xffffffff) == "via 192.0.2.2 wan");
    CHECK(bed.find("10.8.1.1") == "blackhole");
    CHECK(bed.find("10.7.1.1") == "via 2001:db8:1::2 lan");
    CHECK(bed.find("2001:db8:9::1") == "via 2001:db8:1::2 lan");

    shell("ip nexthop replace id 1 via 10.1.0.7 dev lan");
    bed.sync();
    CHECK(bed.find("10.9.1.1", 0) == "via 10.1.0.7 lan");
    shell("ip nexthop del id 6");  // and the routes with it
    bed.sync();
    CHECK(bed.find("10.7.1.1") == "no route");
    CHECK(bed.find("2001:db8:9::1") == "no route");
}

TEST_CASE("of routes that are appended and prepended the kernel's first counts") {
    KernelBed bed;
    shell("ip route add 10.9.0.0/16 via 10.1.0.2");
    shell("ip route append 10.9.0.0/16 via 10.1.0.3");
    bed.sync();
    CHECK(bed.find("10.9.1.1") == "via 10.1.0.2 lan");
    shell("ip route prepend 10.9.0.0/16 via 10.1.0.4");
    bed.sync();
    CHECK(bed.find("10.9.1.1") == "via 10.1.0.4 lan");
    shell("ip route del 10.9.0.0/16 via 10.1.0.4");
    shell("ip route del 10.9.0.0/16 via 10.1.0.2");
    bed.sync();
    CHECK(bed.find("10.9.1.1") == "via 10.1.0.3 lan");
    CHECK(bed.routing().routes().size() == bed.routes_after_restart().size());
}

TEST_CASE("the local table goes before main, and that before default") {
    KernelBed bed;
    shell("ip route add local 10.50.0.0/16 dev lo");
    shell("ip route add 10.60.0.0/16 via 10.1.0.2 table default");
    bed.sync();
    CHECK(bed.find("10.50.1.1") == "local");
    CHECK(bed.find("10.60.1.1") == "via 10.1.0.2 lan");
    shell("ip route add 10.50.0.0/16 via 10.1.0.2");
    shell("ip route add 10.60.0.0/16 via 192.0.2.2 metric 900");
    bed.sync();
    CHECK(bed.find("10.50.1.1") == "local");
    CHECK(bed.find("10.60.1.1") == "via 192.0.2.2 wan");
    shell("ip route add 10.70.0.0/16 via 10.1.0.2 table 100");
    bed.sync();
    CHECK(bed.find("10.70.1.1") == "no route");
    CHECK(bed.mirror().counters().ignored_routes >= 1);
    CHECK(bed.mirror().take_notes().empty());
    shell("ip rule add from 10.1.0.0/24 table 100");
    bed.sync();
    CHECK(bed.mirror().take_notes().size() == 1);
}

TEST_CASE("routes to other interfaces of the kernel lead nowhere") {
    KernelBed bed;
    shell("ip link add other type veth peer name another");
    shell("ip link set another up");
    shell("ip link set other up");
    shell("ip addr add 10.77.0.1/24 dev other");
    shell("ip route add 10.78.0.0/16 via 10.77.0.2");
    shell("ip route add 10.79.0.0/16 nexthop via 10.77.0.2 nexthop via 10.1.0.2");
    bed.sync();
    CHECK(bed.find("10.77.0.1") == "local");
    CHECK(bed.find("10.77.0.2") == "unreachable");
    CHECK(bed.find("10.78.1.1") == "unreachable");
    CHECK(bed.find("10.79.1.1", 0) == "via 10.1.0.2 lan");
    CHECK(bed.find("10.79.1.1", 0xffffffff) == "via 10.1.0.2 lan");
}

TEST_CASE("addresses come and go, and their networks with them") {
    KernelBed bed;
    shell("ip addr add 10.5.0.1/24 dev lan");
    shell("ip addr add 2001:db8:5::1/64 dev lan");
    shell("ip addr add 203.0.113.1/32 dev lo");
    bed.sync();
    CHECK(bed.find("10.5.0.1") == "local");
    CHECK(bed.find("10.5.0.9") == "on link lan");
    CHECK(bed.find("203.0.113.1") == "local");
    CHECK(bed.source(KernelBed::kLan, "10.5.0.9") == "10.5.0.1");
    CHECK(bed.source(KernelBed::kLan, "2001:db8:5::9") == "2001:db8:5::1");
    shell("ip addr del 10.30.0.1/24 dev guest");
    shell("ip addr del 10.5.0.1/24 dev lan");
    bed.sync();
    CHECK(bed.find("10.5.0.9") == "no route");
    CHECK(bed.find("10.30.0.9") == "no route");
    CHECK(bed.source(KernelBed::kGuest, "8.8.8.8") == "203.0.113.1");
    // Routes with this source address go with it, and the kernel does not say so.
    shell("ip addr add 10.6.0.1/32 dev lan");
    shell("ip route add 10.61.0.0/16 dev wan src 10.6.0.1");
    bed.sync();
    CHECK(bed.find("10.61.0.1") == "on link wan");
    shell("ip addr del 10.6.0.1/32 dev lan");
    bed.sync();
    CHECK(bed.find("10.61.0.1") == "no route");
}

TEST_CASE("what the kernel drops without a word when a link goes down is gone") {
    KernelBed bed;
    shell("ip route add default via 192.0.2.254");
    bed.sync();
    CHECK(bed.find("8.8.8.8") == "via 192.0.2.254 wan");
    shell("ip link set wan down");
    bed.sync();
    CHECK(bed.find("8.8.8.8") == "no route");
    CHECK(bed.find("192.0.2.9") == "no route");
    CHECK_FALSE(bed.routing().is_link_up(KernelBed::kWan));
    shell("ip link set wan up");
    bed.sync();
    CHECK(bed.find("192.0.2.9") == "on link wan");
    CHECK(bed.routing().is_link_up(KernelBed::kWan));
    shell("ip link del guest");
    bed.sync();
    CHECK(bed.find("10.30.0.9") == "no route");
    CHECK_FALSE(bed.routing().is_link_up(KernelBed::kGuest));
}

TEST_CASE("link addresses and MTU are the twin's, and those of macvlans are its own, too") {
    KernelBed bed;
    const MacAddress changed{2, 0, 0, 0, 0, 9}, virtual_router{0, 0, 0x5e, 0, 1, 7};
    shell("ip link set lan address 02:00:00:00:00:09 mtu 1400");
    shell("ip link add vrrp7 link lan type macvlan mode private");
    shell("ip link set vrrp7 address 00:00:5e:00:01:07 up");
    shell("ip addr add 10.1.0.100/32 dev vrrp7");
    bed.sync();
    CHECK(bed.routing().is_own_mac(KernelBed::kLan, changed.data()));
    CHECK(bed.routing().is_own_mac(KernelBed::kLan, virtual_router.data()));
    CHECK_FALSE(bed.routing().is_own_mac(KernelBed::kLan, KernelBed::kLanMac.data()));
    CHECK_FALSE(bed.routing().is_own_mac(KernelBed::kWan, virtual_router.data()));
    CHECK(bed.routing().mtu(KernelBed::kLan) == 1400);
    CHECK(bed.find("10.1.0.100") == "local");
    CHECK(bed.source(KernelBed::kLan, "8.8.8.8") == "10.1.0.1");
    shell("ip link set vrrp7 down");
    bed.sync();
    CHECK_FALSE(bed.routing().is_own_mac(KernelBed::kLan, virtual_router.data()));
}

TEST_CASE("neighbours are mirrored with their state") {
    KernelBed bed;
    shell("ip neigh add 10.1.0.9 lladdr 02:00:00:00:01:09 dev lan nud permanent");
    shell("ip neigh add 2001:db8:2::9 lladdr 02:00:00:00:02:09 dev wan nud stale");
    shell("ip neigh add 10.30.0.9 lladdr 02:00:00:00:30:09 dev guest nud reachable");
    bed.sync();
    CHECK(bed.neighbour(KernelBed::kLan, "10.1.0.9") == "02:00:00:00:01:09");
    CHECK(bed.neighbour(KernelBed::kWan, "2001:db8:2::9") == "02:00:00:00:02:09");
    CHECK(bed.neighbour(KernelBed::kGuest, "10.30.0.9") == "02:00:00:00:30:09");
    CHECK(bed.neighbour(KernelBed::kWan, "10.1.0.9") == "none");
    shell("ip neigh replace 10.1.0.9 lladdr 02:00:00:00:01:0a dev lan nud permanent");
    shell("ip neigh change 10.30.0.9 dev guest nud failed");
    shell("ip neigh del 2001:db8:2::9 dev wan");
    bed.sync();
    CHECK(bed.neighbour(KernelBed::kLan, "10.1.0.9") == "02:00:00:00:01:0a");
    CHECK(bed.neighbour(KernelBed::kGuest, "10.30.0.9") == "failed");
    CHECK((bed.neighbour(KernelBed::kWan, "2001:db8:2::9") == "none" ||
           bed.neighbour(KernelBed::kWan, "2001:db8:2::9") == "failed"));
}

TEST_CASE("the kernel is asked for neighbours that packets miss") {
    KernelBed bed;
    const NeighbourKey missing{KernelBed::kLan, Family::Ipv4, IpAddress::parse("10.1.0.77")->bytes};
    CHECK(bed.neighbour(KernelBed::kLan, "10.1.0.77") == "none");
    bed.routing().request(missing);
    bed.sync();
    bed.sync();
    CHECK(bed.neighbour(KernelBed::kLan, "10.1.0.77") == "unresolved");
    CHECK(bed.mirror().counters().neighbour_requests == 1);
    shell("ip neigh replace 10.1.0.77 lladdr 02:00:00:00:01:77 dev lan nud reachable");
    bed.sync();
    CHECK(bed.neighbour(KernelBed::kLan, "10.1.0.77") == "02:00:00:00:01:77");
    // Where nobody can be asked, it fails, and is forgotten again.
    NeighbourKey nowhere = missing;
    nowhere.interface = 9;
    bed.routing().request(nowhere);
    bed.sync();
    CHECK(bed.routing().find_neighbour(nowhere) != kNoNeighbour);
    bed.sync();
    CHECK(bed.routing().find_neighbour(nowhere) == kNoNeighbour);
}

TEST_CASE("a neighbour that is used and grows stale is asked again") {
    KernelBed bed;
    shell("ip neigh add 10.1.0.9 lladdr 02:00:00:00:01:09 dev lan nud stale");
    shell("ip neigh add 10.1.0.8 lladdr 02:00:00:00:01:08 dev lan nud stale");
    bed.sync();
    (void)bed.neighbour(KernelBed::kLan, "10.1.0.9");
    bed.sync();
    shell("ip neigh show 10.1.0.9 dev lan | grep -qE 'DELAY|PROBE'");
    shell("ip neigh show 10.1.0.8 dev lan | grep -q STALE");
    CHECK(bed.neighbour(KernelBed::kLan, "10.1.0.9") == "02:00:00:00:01:09");
}

TEST_CASE("ten thousand routes at once arrive, and go, in a few changes") {
    KernelBed bed;
    {
        std::ofstream batch("/tmp/rampart-kernel-routes");
        for (int i = 0; i < 10'000; ++i)
            batch << "route add 20." << i / 250 << "." << i % 250 << ".0/24 via 10.1.0."
                  << 2 + i % 100 << "\n";
    }
    const uint64_t applied = bed.mirror().counters().applied;
    shell("ip -batch /tmp/rampart-kernel-routes");
    bed.sync();
    CHECK(bed.mirror().counters().applied == applied + 1);
    CHECK(bed.routing().routes().size() > 10'000);
    CHECK(bed.find("20.39.249.1") == "via 10.1.0.101 lan");
    CHECK(bed.routing().routes() == bed.routes_after_restart());
    shell("ip route flush root 20.0.0.0/8");
    bed.sync();
    CHECK(bed.find("20.39.249.1") == "no route");
    CHECK(bed.routing().routes() == bed.routes_after_restart());
    shell("rm /tmp/rampart-kernel-routes");
}

TEST_CASE("when the kernel says more than can be heard, everything is asked for again") {
    KernelBed bed;
    constexpr int kRoutes = 50'000;
    {
        std::ofstream batch("/tmp/rampart-kernel-flood");
        for (int i = 0; i < kRoutes; ++i)
            batch << "route add 20." << i / 250 << "." << i % 250 << ".0/24 via 10.1.0.2\n";
    }
    shell("ip -batch /tmp/rampart-kernel-flood");
    shell("rm /tmp/rampart-kernel-flood");
    bed.sync();
    CHECK(bed.mirror().counters().resynchronised > 0);
    CHECK(bed.routing().routes().size() > kRoutes);
    CHECK(bed.routing().routes() == bed.routes_after_restart());
    CHECK(bed.find("20.199.249.1") == "via 10.1.0.2 lan");
}

TEST_CASE("a new mirror finds what the old one had") {
    KernelBed bed;
    shell("ip route add default via 192.0.2.254");
    bed.sync();
    const auto before = bed.routing().routes();
    const uint32_t epoch = bed.routing().epoch();
    shell("ip route del default");
    shell("ip route add 10.9.0.0/16 via 10.1.0.2");
    bed.make_mirror();
    CHECK(bed.routing().epoch() != epoch);
    CHECK(bed.find("10.9.1.1") == "via 10.1.0.2 lan");
    CHECK(bed.routing().routes() != before);
}

}  // namespace rampart::test
