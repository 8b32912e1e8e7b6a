// Workers between rings: hand-over, full rings, commands, and the accounts of all of it.
#include "dataplane/worker.h"

#include <catch2/catch.hpp>

#include "support/load.h"
#include "support/packet_line.h"
#include "support/worker_bed.h"

namespace rampart::test {
namespace {

rte_mbuf* mbuf_of(const std::string& line) {
    return DpdkSession::get().make_mbuf(frame_of(line));
}

std::string udp_line(unsigned flow) {
    return "udp 10.0.0.2:" + std::to_string(flow) + " > 192.0.2.1:53 len 9";
}

uint64_t drops(const WorkerBed& bed, uint16_t worker, DropReason reason) {
    return bed.counters(worker).drops[static_cast<size_t>(reason)].load();
}

}  // namespace

TEST_CASE("packets for a worker that takes none are dropped when its ring is full") {
    constexpr unsigned kFlows = 3000, kRingRoom = 1023;
    WorkerBed bed({});
    bed.publish(load(config_with("{ policy: accept }")));
    for (unsigned flow = 0; flow < kFlows; ++flow)
        bed.put(0, 0, mbuf_of(udp_line(flow)));
    bed.start(0);
    const WorkerCounters& counters = bed.counters(0);
    const auto ended = [&] {
        return counters.forwarded.load() + counters.handed_out.load() + bed.drops();
    };
    while (ended() != kFlows)
        std::this_thread::yield();
    bed.stop();
    CHECK(counters.handed_out.load() == kRingRoom);
    CHECK(drops(bed, 0, DropReason::HandOffFull) > 0);
    CHECK(drops(bed, 0, DropReason::HandOffFull) == bed.drops());
    CHECK(counters.received.load() == kFlows);
    CHECK(bed.take(1).size() == counters.forwarded.load());
}

TEST_CASE("packets for a port that takes none are dropped when its queue is full") {
    constexpr unsigned kFlows = 200, kQueueRoom = 63;
    WorkerBed bed({.workers = 1, .transmit_slots = 64});
    bed.publish(load(config_with("{ policy: accept }")));
    for (unsigned flow = 0; flow < kFlows; ++flow)
        bed.put(0, 0, mbuf_of(udp_line(flow)));
    bed.start(0);
    REQUIRE(bed.settle());
    bed.stop();
    CHECK(bed.counters(0).forwarded.load() == kQueueRoom);
    CHECK(drops(bed, 0, DropReason::TransmitFull) == kFlows - kQueueRoom);
    CHECK(bed.counters(0).port[1].transmitted_packets.load() == kQueueRoom);
    CHECK(bed.take(1).size() == kQueueRoom);
}

TEST_CASE("a worker without a configuration drops what it receives") {
    WorkerBed bed({.workers = 1});
    bed.put(0, 0, mbuf_of(udp_line(1)));
    bed.start(0);
    REQUIRE(bed.settle());
    bed.stop();
    CHECK(drops(bed, 0, DropReason::NoPolicy) == 1);
}

TEST_CASE("a worker carries out commands, and checks each before it does") {
    WorkerBed bed({.workers = 1});
    bed.publish(load(config_with("{ policy: accept }")));
    for (unsigned flow = 0; flow < 10; ++flow)
        bed.put(0, 0, mbuf_of(udp_line(flow)));
    bed.start(0);
    REQUIRE(bed.settle());
    bed.stop();
    Worker& worker = bed.worker(0);
    REQUIRE(worker.flows().count() == 10);
    FlowInfo info;
    REQUIRE(worker.flows().read_info(0, info));
    const auto post = [&](Command::Kind kind, uint32_t index, uint32_t serial) {
        REQUIRE(worker.mailbox().post({kind, index, serial, 0}));
    };
    post(Command::Kind::Expire, 0, 0);                // not due
    post(Command::Kind::Erase, 0, info.serial + 99);  // another incarnation
    post(Command::Kind::Erase, 0, info.serial);
    post(Command::Kind::EraseRange, 1, 1000);  // bounded
    CHECK(worker.run_commands(Now::at(0)) == 4);
    CHECK(worker.flows().count() == 0);
    CHECK(worker.counters().erased.load() == 10);
    CHECK(worker.counters().expired.load() == 0);
    CHECK(worker.mailbox().is_empty());
}

TEST_CASE("counters that were shown are taken off, once, from the flow they belong to") {
    WorkerBed bed({.workers = 1});
    bed.publish(load(config_with("{ policy: accept }", "conntrack: { accounting: true }\n")));
    for (int packet = 0; packet < 3; ++packet)
        bed.put(0, 0, mbuf_of(udp_line(7)));
    bed.start(0);
    REQUIRE(bed.settle());
    bed.stop();
    Worker& worker = bed.worker(0);
    FlowInfo info;
    REQUIRE(worker.flows().read_info(0, info));
    const auto packets = [&] { return worker.flows().traffic(0).packets[0]; };
    const auto bytes_now = [&] { return worker.flows().traffic(0).bytes[0]; };
    const uint64_t bytes = bytes_now();
    REQUIRE(packets() == 3);
    REQUIRE(worker.mailbox().post({Command::Kind::Discount, 0, info.serial + 1u, 0, 2, 10}));
    worker.run_commands(Now::at(0));
    CHECK(packets() == 3);
    REQUIRE(worker.mailbox().post({Command::Kind::Discount, 0, info.serial, 0, 2, 10}));
    worker.run_commands(Now::at(0));
    CHECK(packets() == 1);
    CHECK(bytes_now() == bytes - 10);
    // Somebody else had shown the same packets.
    REQUIRE(worker.mailbox().post({Command::Kind::Discount, 0, info.serial, 0, 2, bytes}));
    worker.run_commands(Now::at(0));
    CHECK(packets() == 0);
    CHECK(bytes_now() == 0);
}

TEST_CASE("a reject's reply leaves by the port of its cause and is counted as generated") {
    WorkerBed bed({.workers = 1});
    bed.publish(load(config_with("{ policy: drop, rules: [{ action: reject }] }")));
    for (unsigned flow = 0; flow < 5; ++flow)
        bed.put(0, 0, mbuf_of(udp_line(flow)));
    bed.start(0);
    REQUIRE(bed.settle());
    bed.stop();
    CHECK(bed.counters(0).generated.load() == 5);
    CHECK(bed.counters(0).forwarded.load() == 0);
    CHECK(bed.take(0).size() == 5);
    CHECK(bed.take(1).empty());
}

}  // namespace rampart::test
