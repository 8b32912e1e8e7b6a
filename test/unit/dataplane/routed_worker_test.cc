// What a worker with routed ports does around the packet path: neighbours that answer late or
// never, and the way to the kernel and back.
#include <set>

#include <catch2/catch.hpp>

#include "support/frame_text.h"
#include "support/load.h"
#include "support/network.h"
#include "support/packet_line.h"
#include "support/worker_bed.h"

namespace rampart::test {
namespace {

constexpr InterfaceIndex kLan = 0, kWan = 1;

std::unique_ptr<Snapshot> routed_snapshot() {
    return load(
        "version: 1\n"
        "interfaces: { lan: { device: \"vdev:net_null0\" }, wan: { device: \"vdev:net_null1\" } }\n"
        "chains: { forward: { policy: accept }, input: { policy: accept } }\n");
}

Network routed_network() {
    const NetworkSpec spec{.addresses = {{"lan", {"192.168.1.1/24"}}, {"wan", {"192.0.2.1/24"}}},
                           .routes = {"default via 192.0.2.254 dev wan"},
                           .neighbours = {{"192.168.1.10 dev lan 02:00:00:00:00:0a"}},
                           .mtus = {}};
    return Network(spec, routed_snapshot()->ruleset.names.interfaces);
}

rte_mbuf* mbuf_of(const std::string& line) {
    return DpdkSession::get().make_mbuf(frame_of(line));
}

uint64_t drops(const WorkerBed& bed, DropReason reason) {
    return bed.counters(0).drops[static_cast<size_t>(reason)].load();
}

void wait_until_tracked(const WorkerBed& bed, uint64_t flows) {
    while (bed.counters(0).inserted.load() != flows)
        std::this_thread::yield();
}

}  // namespace

TEST_CASE("packets that wait leave when their next hop is known") {
    Network network = routed_network();
    WorkerBed bed({.workers = 1, .routing = &network.routing()});
    bed.publish(routed_snapshot());
    for (unsigned port = 1; port <= 3; ++port)
        bed.put(kLan, 0, mbuf_of("udp 192.168.1.10:" + std::to_string(port) + " > 203.0.113.5:53"));
    bed.start(0);
    wait_until_tracked(bed, 3);
    CHECK(bed.counters(0).forwarded.load() == 0);
    std::vector<NeighbourKey> asked;
    while (asked.empty())
        asked = network.routing().take_requests();
    CHECK(IpAddress{asked[0].address, asked[0].family}.to_string() == "192.0.2.254");
    network.set_neighbour("192.0.2.254 dev wan 02:00:00:00:00:fe");
    REQUIRE(bed.settle());
    bed.stop();
    const std::vector<Bytes> sent = bed.take(kWan);
    REQUIRE(sent.size() == 3);
    for (const Bytes& frame : sent) {
        CHECK(Bytes(frame.begin(), frame.begin() + 6) == Bytes{2, 0, 0, 0, 0, 0xfe});
        CHECK(frame_text(frame).find("ttl 63") != std::string::npos);
    }
}

TEST_CASE("packets whose next hop does not answer are lost, and their senders told") {
    Network network = routed_network();
    WorkerBed bed({.workers = 1, .routing = &network.routing()});
    bed.publish(routed_snapshot());
    bed.put(kLan, 0, mbuf_of("udp 192.168.1.10:1 > 203.0.113.5:53"));
    bed.start(0);
    wait_until_tracked(bed, 1);
    network.set_neighbour("192.0.2.254 dev wan failed");
    REQUIRE(bed.settle());
    bed.stop();
    CHECK(drops(bed, DropReason::NeighbourFailed) == 1);
    const std::vector<Bytes> answers = bed.take(kLan);
    REQUIRE(answers.size() == 1);
    CHECK(frame_text(answers[0]).starts_with("icmp 192.168.1.1 > 192.168.1.10 error 3/1"));
    CHECK(bed.take(kWan).empty());
}

TEST_CASE(
    "the sender of a lost packet is told of the packet that it sent, not of its translation") {
    Network network = routed_network();
    WorkerBed bed({.workers = 1, .routing = &network.routing()});
    bed.publish(load(
        "version: 1\n"
        "interfaces: { lan: { device: \"vdev:net_null0\" }, wan: { device: \"vdev:net_null1\" } }\n"
        "chains: { forward: { policy: accept } }\n"
        "nat: { postrouting: [{ id: out, out: wan, snat: { to: 192.0.2.7, ports: 5000-5000 } }] "
        "}\n"));
    bed.put(kLan, 0, mbuf_of("udp 192.168.1.10:1234 > 203.0.113.5:53 len 9"));
    bed.start(0);
    wait_until_tracked(bed, 1);
    network.set_neighbour("192.0.2.254 dev wan failed");
    REQUIRE(bed.settle());
    bed.stop();
    CHECK(drops(bed, DropReason::NeighbourFailed) == 1);
    const std::vector<Bytes> answers = bed.take(kLan);
    REQUIRE(answers.size() == 1);
    const std::string text = frame_text(answers[0]);
    INFO(text);
    CHECK(text.starts_with("icmp 192.168.1.1 > 192.168.1.10 error 3/1"));
    CHECK(text.find("udp 192.168.1.10:1234 > 203.0.113.5:53") != std::string::npos);
    CHECK(text.find("bad-") == std::string::npos);
}

TEST_CASE("replies to masqueraded flows find their way through whichever worker gets them") {
    constexpr unsigned kFlows = 300;
    Network network = routed_network();
    network.set_neighbour("192.0.2.254 dev wan 02:00:00:00:00:fe");
    WorkerBed bed({.workers = 2, .routing = &network.routing()});
    const std::string config =
        "version: 1\n"
        "interfaces: { lan: { device: \"vdev:net_null0\" }, wan: { device: \"vdev:net_null1\" } }\n"
        "chains: { forward: { policy: accept } }\n"
        "nat: { postrouting: [{ id: out, out: wan, masquerade: true }] }\n";
    bed.publish(load(config));
    for (unsigned flow = 0; flow < kFlows; ++flow)
        bed.put(kLan, flow % 2,
                mbuf_of("udp 192.168.1.10:" + std::to_string(2000 + flow) + " > 203.0.113.5:53"));
    bed.start(0);
    bed.start(1);
    REQUIRE(bed.settle());
    const std::vector<Bytes> sent = bed.take(kWan);
    REQUIRE(sent.size() == kFlows);
    std::vector<rte_mbuf*> replies;
    for (const Bytes& frame : sent) {
        const std::vector<std::string> words = words_of(frame_text(frame));
        REQUIRE(words[1].starts_with("192.0.2.1:"));
        replies.push_back(mbuf_of("udp 203.0.113.5:53 > " + words[1]));
    }
    bed.publish(load(config));
    for (unsigned flow = 0; flow < kFlows; ++flow)
        bed.put(kWan, flow / 2 % 2, replies[flow]);
    REQUIRE(bed.settle());
    bed.stop();
    CHECK(bed.sum(&WorkerCounters::inserted) == kFlows);
    CHECK(bed.drops() == 0);
    std::set<std::string> clients;
    for (const Bytes& frame : bed.take(kLan))
        clients.insert(words_of(frame_text(frame))[3]);
    CHECK(clients.size() == kFlows);
    CHECK(clients.contains("192.168.1.10:2000"));
}

TEST_CASE("what is for the box goes to the kernel until its ring is full") {
    constexpr unsigned kPackets = 1200, kRingRoom = 1023;
    Network network = routed_network();
    WorkerBed bed({.workers = 1, .routing = &network.routing()});
    bed.publish(routed_snapshot());
    for (unsigned port = 1; port <= kPackets; ++port)
        bed.put(kLan, 0, mbuf_of("udp 192.168.1.10:" + std::to_string(port) + " > 192.168.1.1:53"));
    bed.start(0);
    REQUIRE(bed.settle());
    bed.stop();
    CHECK(bed.counters(0).local.load() == kRingRoom);
    CHECK(drops(bed, DropReason::KernelFull) == kPackets - kRingRoom);
    CHECK(bed.take_for_kernel(0) == kRingRoom);
}

TEST_CASE("what is for the box is dropped on a port that the kernel does not know") {
    Network network = routed_network();
    WorkerBed bed({.workers = 1, .routing = &network.routing(), .has_twins = false});
    bed.publish(routed_snapshot());
    bed.put(kLan, 0, mbuf_of("udp 192.168.1.10:1 > 192.168.1.1:53"));
    bed.start(0);
    REQUIRE(bed.settle());
    bed.stop();
    CHECK(drops(bed, DropReason::NoTwin) == 1);
    CHECK(bed.counters(0).local.load() == 0);
}

TEST_CASE("what the kernel sends leaves as it is, and a refusal goes back to it") {
    Network network = routed_network();
    WorkerBed bed({.workers = 1, .routing = &network.routing()});
    bed.publish(load(
        "version: 1\n"
        "interfaces: { lan: { device: \"vdev:net_null0\" }, wan: { device: \"vdev:net_null1\" } }\n"
        "chains:\n"
        "  forward: { policy: drop }\n"
        "  output: { policy: accept, rules: [{ id: r, proto: udp, dport: 9, action: reject }] "
        "}\n"));
    const Bytes frame = frame_of("udp 192.0.2.1:5000 > 203.0.113.5:53");
    bed.put_from_kernel(kWan, 0, DpdkSession::get().make_mbuf(frame));
    bed.put_from_kernel(kWan, 0, mbuf_of("udp 192.0.2.1:5000 > 203.0.113.5:9"));
    bed.start(0);
    REQUIRE(bed.settle());
    bed.stop();
    CHECK(bed.take(kWan) == std::vector<Bytes>{frame});
    CHECK(drops(bed, DropReason::Reject) == 1);
    CHECK(bed.take_for_kernel(0) == 1);
}

}  // namespace rampart::test
