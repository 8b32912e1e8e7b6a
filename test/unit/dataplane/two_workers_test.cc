// Two workers, packets on the wrong queues, new configurations and a reader, all at once: every
// flow has one owner, nothing is lost or doubled, and the thread sanitizer finds nothing.
#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "packet/parser.h"
#include "support/load.h"
#include "support/packet_line.h"
#include "support/worker_bed.h"

namespace rampart::test {
namespace {

constexpr unsigned kFlows = 800;

std::string client(unsigned flow) {
    return "10.0.0.2:" + std::to_string(1000 + flow);
}

struct Frame {
    InterfaceIndex port;
    uint16_t queue;
    rte_mbuf* mbuf;
    Bytes bytes;
};

Frame frame(std::mt19937_64& random, InterfaceIndex port, const std::string& line) {
    const Bytes bytes = frame_of(line);
    return {port, static_cast<uint16_t>(random() % 2), DpdkSession::get().make_mbuf(bytes), bytes};
}

void put_all(WorkerBed& bed, const std::vector<Frame>& frames) {
    for (const Frame& one : frames)
        bed.put(one.port, one.queue, one.mbuf);
}

std::unique_ptr<Snapshot> snapshot() {
    return load(
        config_with("{ policy: drop, rules: [{ id: est, state: established, action: "
                    "accept }, { id: rel, state: related, action: accept }, "
                    "{ id: new, in: lan, state: new, action: accept }] }"));
}

std::vector<Bytes> sorted(std::vector<Bytes> frames) {
    std::sort(frames.begin(), frames.end());
    return frames;
}

std::vector<Bytes> bytes_from(const std::vector<std::vector<Frame>>& phases, InterfaceIndex port) {
    std::vector<Bytes> all;
    for (const auto& frames : phases)
        for (const Frame& one : frames)
            if (one.port == port) all.push_back(one.bytes);
    return sorted(all);
}

}  // namespace

TEST_CASE("two workers share traffic that arrives on any queue, while control looks on") {
    std::mt19937_64 random(5);
    const uint32_t before = DpdkSession::get().mbufs_out();
    {
        // All frames exist before the threads do.
        std::vector<std::vector<Frame>> phases(2);
        for (unsigned flow = 0; flow < kFlows; ++flow)
            phases[0].push_back(frame(random, 0, "udp " + client(flow) + " > 192.0.2.1:53 len 9"));
        for (unsigned flow = 0; flow < kFlows; ++flow) {
            const std::string forth = "udp " + client(flow) + " > 192.0.2.1:53 len 9";
            phases[1].push_back(frame(random, 1, "udp 192.0.2.1:53 > " + client(flow) + " len 99"));
            phases[1].push_back(
                frame(random, 1, "icmp 198.51.100.7 > 10.0.0.2 error 3/3 about " + forth));
            phases[1].push_back(frame(random, 0, forth));
        }
        std::shuffle(phases[1].begin(), phases[1].end(), random);

        WorkerBed bed({});
        bed.publish(snapshot());
        put_all(bed, phases[0]);
        std::atomic<bool> is_over{false};
        bed.start(0);
        bed.start(1);
        std::thread reader([&] {
            while (!is_over.load())
                bed.read_everything();
        });
        bool is_settled = bed.settle();
        // One thread after another publishes and reads: the list of snapshots is control's own.
        for (int i = 0; i < 10; ++i)
            bed.publish(snapshot());
        put_all(bed, phases[1]);
        for (int i = 0; i < 10; ++i)
            bed.publish(snapshot());
        is_settled = bed.settle() && is_settled;
        is_over.store(true);
        reader.join();
        bed.stop();

        REQUIRE(is_settled);
        CHECK(bed.drops() == 0);
        CHECK(bed.sum(&WorkerCounters::received) == 4 * kFlows);
        CHECK(bed.sum(&WorkerCounters::forwarded) == 4 * kFlows);
        CHECK(bed.sum(&WorkerCounters::handed_out) > kFlows);
        // Each flow in exactly one table.
        CHECK(bed.sum(&WorkerCounters::inserted) == kFlows);
        CHECK(bed.worker(0).flows().count() + bed.worker(1).flows().count() == kFlows);
        CHECK(bed.worker(0).flows().count() > kFlows / 3);
        CHECK(bed.worker(1).flows().count() > kFlows / 3);
        // Every frame left by the other port, once and unchanged.
        CHECK(sorted(bed.take(1)) == bytes_from(phases, 0));
        CHECK(sorted(bed.take(0)) == bytes_from(phases, 1));
    }
    CHECK(DpdkSession::get().mbufs_out() == before);
}

TEST_CASE("two workers share one limit, and one per source") {
    constexpr unsigned kPackets = 1200, kBurst = 100;
    for (const char* limit : {"1/day burst 100", "{ rate: 1/day, burst: 100, per: [src] }"}) {
        INFO(limit);
        std::mt19937_64 random(7);
        std::vector<Frame> frames;
        for (unsigned flow = 0; flow < kPackets; ++flow)
            frames.push_back(frame(random, 0, "udp " + client(flow) + " > 192.0.2.1:53 len 9"));
        WorkerBed bed({});
        bed.publish(load(config_with(std::string("{ policy: drop, rules: [{ limit: ") + limit +
                                     ", action: accept }] }")));
        put_all(bed, frames);
        bed.start(0);
        bed.start(1);
        const bool is_settled = bed.settle();
        bed.stop();
        REQUIRE(is_settled);
        CHECK(bed.sum(&WorkerCounters::forwarded) == kBurst);
        CHECK(bed.drops() == kPackets - kBurst);
    }
}

TEST_CASE("two workers count the flows of one source, and none is counted twice or lost") {
    constexpr unsigned kAbove = 50;
    std::mt19937_64 random(8);
    std::vector<Frame> frames;
    for (unsigned round = 0; round < 3; ++round)
        for (unsigned flow = 0; flow < 400; ++flow)
            frames.push_back(frame(random, 0, "udp " + client(flow) + " > 192.0.2.1:53 len 9"));
    WorkerBed bed({});
    auto snapshot = load(
        config_with("{ policy: accept, rules: [{ connlimit: { above: 50 }, action: drop }] }"));
    const Snapshot& published = *snapshot;
    bed.publish(std::move(snapshot));
    put_all(bed, frames);
    bed.start(0);
    bed.start(1);
    const bool is_settled = bed.settle();
    bed.stop();
    REQUIRE(is_settled);
    const uint64_t flows = bed.worker(0).flows().count() + bed.worker(1).flows().count();
    CHECK(flows <= kAbove);
    CHECK(flows > kAbove / 2);
    CHECK(published.counting_rules[0].counts->flows() == flows);
}

TEST_CASE("fragments that arrive on different queues meet on one worker") {
    constexpr unsigned kDatagrams = 200;
    std::mt19937_64 random(6);
    const uint32_t before = DpdkSession::get().mbufs_out();
    {
        std::vector<Frame> frames;
        for (unsigned flow = 0; flow < kDatagrams; ++flow)
            for (const char* piece : {"0+800", "800+800", "1600+408"})
                frames.push_back(frame(random, 0,
                                       "udp " + client(flow) + " > 192.0.2.1:53 len 2000 piece " +
                                           piece + " id " + std::to_string(flow)));
        std::shuffle(frames.begin(), frames.end(), random);
        WorkerBed bed({});
        bed.publish(snapshot());
        put_all(bed, frames);
        bed.start(0);
        bed.start(1);
        const bool is_settled = bed.settle();
        bed.stop();

        REQUIRE(is_settled);
        CHECK(bed.drops() == 0);
        CHECK(bed.held() == 0);
        CHECK(bed.sum(&WorkerCounters::datagrams) == kDatagrams);
        CHECK(bed.sum(&WorkerCounters::merged) == 2 * kDatagrams);
        CHECK(bed.sum(&WorkerCounters::forwarded) == kDatagrams);
        CHECK(bed.sum(&WorkerCounters::inserted) == kDatagrams);
        CHECK(bed.worker(0).flows().count() > kDatagrams / 3);
        CHECK(bed.worker(1).flows().count() > kDatagrams / 3);
        CHECK(bed.take(1).size() == 3 * kDatagrams);
    }
    CHECK(DpdkSession::get().mbufs_out() == before);
}

TEST_CASE("two workers share the rate of a log statement and count every packet once") {
    std::mt19937_64 random(11);
    std::vector<Frame> frames;
    for (unsigned flow = 0; flow < kFlows; ++flow)
        frames.push_back(frame(random, 0, "udp " + client(flow) + " > 192.0.2.1:53 len 9"));
    WorkerBed bed({.workers = 2});
    bed.publish(
        load(config_with("{ policy: drop, rules: [{ id: r, log: { limit: 1/day burst 7 }, "
                         "action: accept }] }")));
    put_all(bed, frames);
    bed.start(0);
    bed.start(1);
    REQUIRE(bed.settle());
    bed.stop();
    const std::vector<RuleCount> counts = bed.latest().counts();
    const Rule& rule = bed.latest().ruleset.chains[0].rules[0];
    CHECK(counts[rule.rule_index].packets == kFlows);
    CHECK(counts[rule.logged_index].packets == 7);
    CHECK(counts[rule.logged_index + 1].packets == kFlows - 7);
    std::vector<PacketLogRecord> records(RuleLog::kSlots);
    CHECK(bed.worker(0).rule_log().read(records.data(), RuleLog::kSlots) +
              bed.worker(1).rule_log().read(records.data(), RuleLog::kSlots) ==
          7);
    CHECK(bed.take(1).size() == kFlows);
}

}  // namespace rampart::test
