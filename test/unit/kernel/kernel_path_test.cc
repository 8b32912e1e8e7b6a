// Packets between the workers' rings and the kernel, through the thread.
#include "kernel/kernel_path.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <ctime>

#include <catch2/catch.hpp>
#include <rte_mbuf.h>

#include "support/dpdk_session.h"
#include "unit/kernel/kernel_bed.h"

namespace rampart::test {
namespace {

constexpr MacAddress kLanMac{2, 0, 0, 0, 0, 1}, kWanMac{2, 0, 0, 0, 0, 2};
constexpr MacAddress kPeer{2, 0, 0, 0, 9, 9};
constexpr uint16_t kWorkers = 2, kKernel = 2;

DeviceSettings port(const std::string& name, uint16_t mtu, const std::string& address) {
    DeviceSettings settings;
    settings.name = name;
    settings.mtu = mtu;
    settings.is_routed = true;
    settings.twin.name = name;
    settings.twin.addresses = {*IpPrefix::parse(address)};
    return settings;
}

// Ports lan and wan with twins, two workers' rings, and the thread.
class PathBed {
  public:
    PathBed() {
        enter_namespace();
        shell("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
        auto hand_off = HandOff::create(kWorkers + 1);
        auto routing = Routing::create({.compact = true});
        REQUIRE(hand_off);
        REQUIRE(routing);
        hand_off_ = std::move(*hand_off);
        routing_ = std::move(*routing);
        KernelPath::Options options;
        options.interfaces = {port("lan", 1500, "10.1.0.1/24"), port("wan", 9000, "192.0.2.1/24")};
        options.macs = {kLanMac, kWanMac};
        options.workers = kWorkers;
        options.hand_off = hand_off_.get();
        options.pool = DpdkSession::get().pool();
        options.routing = routing_.get();
        options.wait_for_workers = [] {};
        options.has_carrier = [this](InterfaceIndex) { return has_carrier_.load(); };
        auto path = KernelPath::create(options);
        if (!path) FAIL(path.error().message);
        path_ = std::move(*path);
        path_->start();
    }

    KernelPath& path() { return *path_; }
    Routing& routing() { return *routing_; }
    void set_carrier(bool has_carrier) { has_carrier_ = has_carrier; }
    void give(uint16_t worker, InterfaceIndex index, const Bytes& frame,
              std::vector<uint32_t> cuts = {}) {
        rte_mbuf* mbuf = DpdkSession::get().make_mbuf(frame, cuts);
        mbuf->port = index;
        REQUIRE(hand_off_->give(worker, kKernel, mbuf));
    }
    // The next frame that the kernel sends to this worker; empty when none comes.
    Bytes take(uint16_t worker, uint16_t& port) {
        rte_mbuf* mbuf = nullptr;
        if (!wait_for([&] { return hand_off_->take(kKernel, worker, &mbuf, 1) == 1; })) return {};
        port = mbuf->port;
        Bytes frame = bytes_of(mbuf);
        rte_pktmbuf_free(mbuf);
        return frame;
    }
    template <typename Condition>
    static bool wait_for(Condition&& is_true) {
        for (int i = 0; i < 20'000; ++i) {
            if (is_true()) return true;
            constexpr timespec kPeriod{0, 1'000'000};
            nanosleep(&kPeriod, nullptr);
        }
        return false;
    }

  private:
    std::unique_ptr<HandOff> hand_off_;
    std::unique_ptr<Routing> routing_;
    std::atomic<bool> has_carrier_{true};
    std::unique_ptr<KernelPath> path_;
};

uint16_t checksum(const uint8_t* data, size_t bytes) {
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes; i += 2)
        sum += static_cast<uint32_t>(data[i] << 8) | (i + 1 < bytes ? data[i + 1] : 0u);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(~sum);
}

void store16(uint8_t* at, size_t value) {
    at[0] = static_cast<uint8_t>(value >> 8);
    at[1] = static_cast<uint8_t>(value);
}

// An echo request from the neighbour 10.x.y.9 of a twin's network.
Bytes echo_request(const MacAddress& to, std::array<uint8_t, 4> destination, size_t payload) {
    Bytes frame(14 + 20 + 8 + payload);
    std::copy(to.begin(), to.end(), frame.begin());
    std::copy(kPeer.begin(), kPeer.end(), frame.begin() + 6);
    store16(&frame[12], 0x0800);
    uint8_t* ip = &frame[14];
    ip[0] = 0x45;
    store16(ip + 2, frame.size() - 14);
    ip[8] = 64;
    ip[9] = 1;
    std::copy(destination.begin(), destination.end(), ip + 12);
    ip[15] = 9;
    std::copy(destination.begin(), destination.end(), ip + 16);
    store16(ip + 10, checksum(ip, 20));
    uint8_t* icmp = ip + 20;
    icmp[0] = 8;
    for (size_t i = 0; i < payload; ++i)
        icmp[8 + i] = static_cast<uint8_t>(i);
    store16(icmp + 2, checksum(icmp, 8 + payload));
    return frame;
}

}  // namespace

TEST_CASE("the kernel answers what a worker gives it, to the worker of the port") {
    const uint32_t out_before = DpdkSession::get().mbufs_out();
    {
        PathBed bed;
        shell("ip neigh add 10.1.0.9 lladdr 02:00:00:00:09:09 dev lan nud permanent");
        shell("ip neigh add 192.0.2.9 lladdr 02:00:00:00:09:09 dev wan nud permanent");
        bed.give(1, 0, echo_request(kLanMac, {10, 1, 0, 1}, 56));
        uint16_t port = 0;
        const Bytes answer = bed.take(0, port);
        REQUIRE(answer.size() == 14 + 20 + 8 + 56);
        CHECK(port == (0 | kFromKernel));
        CHECK(std::equal(kPeer.begin(), kPeer.end(), answer.begin()));
        CHECK(std::equal(kLanMac.begin(), kLanMac.end(), answer.begin() + 6));
        CHECK(answer[34] == 0);  // echo reply
        CHECK(checksum(&answer[34], 64) == 0);

        // Chains of buffers, both ways.
        const Bytes large = echo_request(kWanMac, {192, 0, 2, 1}, 8000);
        bed.give(0, 1, large, {100, 2000, 4000, 6000});
        const Bytes large_answer = bed.take(1, port);
        CHECK(port == (1 | kFromKernel));
        REQUIRE(large_answer.size() == large.size());
        CHECK(std::equal(large.begin() + 42, large.end(), large_answer.begin() + 42));
        CHECK(bed.path().counters(0).to_kernel_packets.load() == 1);
        CHECK(bed.path().counters(1).to_kernel_bytes.load() == large.size());
        CHECK(bed.path().counters(1).from_kernel_packets.load() == 1);
    }
    CHECK(DpdkSession::get().mbufs_out() == out_before);
}

TEST_CASE("what the kernel does not take is counted") {
    const uint32_t out_before = DpdkSession::get().mbufs_out();
    {
        PathBed bed;
        shell("ip link set lan down");
        bed.give(0, 0, echo_request(kLanMac, {10, 1, 0, 1}, 56));
        CHECK(
            PathBed::wait_for([&] { return bed.path().counters(0).dropped_refused.load() == 1; }));
        bed.give(0, 9, echo_request(kLanMac, {10, 1, 0, 1}, 56));
        for (int i = 0; i < 40; ++i)
            bed.give(1, 1, echo_request(kWanMac, {192, 0, 2, 1}, 56));
        bed.path().stop();  // delivers what was given before
        CHECK(bed.path().counters(1).to_kernel_packets.load() == 40);
    }
    CHECK(DpdkSession::get().mbufs_out() == out_before);
}

TEST_CASE("routes follow while the thread runs, and can be asked for") {
    PathBed bed;
    const auto find = [&] {
        RouteKind kind{};
        bed.path().run_inside([&] {
            kind = bed.routing().find(Family::Ipv4, IpAddress::parse("10.9.0.1")->bytes, 0).kind;
        });
        return kind;
    };
    CHECK(find() == RouteKind::NoRoute);
    shell("ip route add 10.9.0.0/16 via 10.1.0.7");
    CHECK(PathBed::wait_for([&] { return find() == RouteKind::Gateway; }));
    shell("ip route del 10.9.0.0/16");
    CHECK(PathBed::wait_for([&] { return find() == RouteKind::NoRoute; }));
}

TEST_CASE("a twin has a carrier when its port has") {
    PathBed bed;
    const auto is_up = [&] {
        bool result = false;
        bed.path().run_inside([&] { result = bed.routing().is_link_up(0); });
        return result;
    };
    CHECK(PathBed::wait_for(is_up));
    bed.set_carrier(false);
    CHECK(PathBed::wait_for([&] { return !is_up(); }));
    shell("ip link show lan | grep -q NO-CARRIER");
    bed.set_carrier(true);
    CHECK(PathBed::wait_for(is_up));
}

TEST_CASE("addresses change while the daemon runs, and only those that it set") {
    PathBed bed;
    shell("ip addr add 10.1.0.50/24 dev lan");
    std::vector<DeviceSettings> interfaces = {port("lan", 1500, "10.2.0.1/24"),
                                              port("wan", 9000, "192.0.2.1/24")};
    std::vector<Error> errors;
    bed.path().run_inside([&] { errors = bed.path().set_addresses(interfaces); });
    CHECK(errors.empty());
    shell("ip -br addr show dev lan | grep -q 10.2.0.1/24");
    shell("! ip -br addr show dev lan | grep -q 10.1.0.1/24");
    shell("ip -br addr show dev wan | grep -q 192.0.2.1/24");
}

TEST_CASE("what stands in the way of a twin is said") {
    enter_namespace();
    auto links = LinkSetup::open();
    REQUIRE(links);
    shell("ip link add taken type veth peer name other");
    const auto twin = Twin::create({"lan", "taken", kLanMac, 1500}, *links);
    REQUIRE_FALSE(twin);
    CHECK(twin.error().message.find("interface 'lan': its twin 'taken' cannot be made") == 0);
    CHECK(twin.error().hint.find("'kernel'") != std::string::npos);
}

}  // namespace rampart::test
