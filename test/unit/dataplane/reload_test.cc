// Two hundred configurations under traffic on two workers: no packet is lost to a change, each is
// judged by the rules of one generation from the first to the last, and flows outlive them all.
#include <random>

#include <catch2/catch.hpp>

#include "support/load.h"
#include "support/packet_line.h"
#include "support/worker_bed.h"

namespace rampart::test {
namespace {

constexpr unsigned kReloads = 200;
constexpr unsigned kBatch = 32;
constexpr unsigned kFlows = 64;

struct Frame {
    uint16_t queue;
    rte_mbuf* mbuf;
};

std::vector<Frame> make_batch(std::mt19937_64& random) {
    std::vector<Frame> frames;
    for (unsigned i = 0; i < kBatch; ++i) {
        const std::string line = "udp 10.0.0.2:" + std::to_string(1000 + random() % kFlows) +
                                 " > 192.0.2.1:" + (random() % 2 == 0 ? "53" : "54") + " len 9";
        frames.push_back(
            {static_cast<uint16_t>(random() % 2), DpdkSession::get().make_mbuf(frame_of(line))});
    }
    return frames;
}

// Each generation counts every packet in its first rule, and then lets one port through and drops
// the other. They have their rules at different places, so that a mixture of two would not add up.
std::unique_ptr<Snapshot> generation(unsigned number) {
    const bool is_even = number % 2 == 0;
    const std::string pass = is_even ? "53" : "54", stop = is_even ? "54" : "53";
    const std::string all = "{ id: all, proto: udp }, ";
    const std::string accept = "{ id: pass, proto: udp, dport: " + pass + ", action: accept }";
    const std::string drop = "{ id: stop, proto: udp, dport: " + stop + ", action: drop }";
    const auto other = [](const char* id) {
        return std::string("{ id: ") + id + ", proto: tcp, action: drop }, ";
    };
    return load(
        config_with("{ policy: accept, rules: [" +
                    (is_even ? all + accept + ", " + drop
                             : other("first") + all + drop + ", " + other("later") + accept) +
                    "] }"));
}

struct Judged {
    uint64_t all = 0, pass = 0, stop = 0, elsewhere = 0;
};

Judged judged_by(const Snapshot& snapshot) {
    std::vector<RuleCount> counts(snapshot.ruleset.index_count);
    for (const auto& paths : snapshot.paths)
        paths->add_up(counts);
    const Chain& chain = snapshot.ruleset.chains[static_cast<size_t>(snapshot.ruleset.forward)];
    Judged judged;
    for (const Rule& rule : chain.rules) {
        const uint64_t packets = counts[rule.rule_index].packets;
        (rule.id == "all"    ? judged.all
         : rule.id == "pass" ? judged.pass
         : rule.id == "stop" ? judged.stop
                             : judged.elsewhere) += packets;
    }
    judged.elsewhere += counts[chain.policy_index].packets;
    return judged;
}

}  // namespace

TEST_CASE("two hundred reloads under traffic lose nothing and mix no two generations") {
    std::mt19937_64 random(12);
    const uint32_t before = DpdkSession::get().mbufs_out();
    {
        WorkerBed bed({});
        std::vector<Frame> ready = make_batch(random);
        bed.publish(generation(0));
        bed.start(0);
        bed.start(1);
        for (unsigned number = 1; number <= kReloads; ++number) {
            std::vector<Frame> next = make_batch(random);
            for (const Frame& frame : ready)
                bed.put(0, frame.queue, frame.mbuf);
            bed.publish(generation(number));  // while the workers are at those
            ready = std::move(next);
        }
        for (const Frame& frame : ready)
            bed.put(0, frame.queue, frame.mbuf);
        const bool is_settled = bed.settle();
        bed.stop();
        REQUIRE(is_settled);

        Judged total;
        unsigned generations_with_packets = 0;
        for (const auto& snapshot : bed.snapshots()) {
            const Judged judged = judged_by(*snapshot);
            INFO("generation " << snapshot->generation);
            CHECK(judged.all == judged.pass + judged.stop);
            CHECK(judged.elsewhere == 0);
            total.all += judged.all;
            total.pass += judged.pass;
            total.stop += judged.stop;
            generations_with_packets += judged.all != 0;
        }
        CHECK(generations_with_packets > kReloads / 2);
        CHECK(bed.put_count() == (kReloads + 1) * kBatch);
        CHECK(total.all == bed.put_count());
        CHECK(total.pass == bed.sum(&WorkerCounters::forwarded));
        CHECK(total.stop == bed.drops());
        uint64_t by_rule = 0;
        for (uint16_t worker = 0; worker < 2; ++worker)
            by_rule += bed.counters(worker).drops[static_cast<size_t>(DropReason::Rule)].load();
        CHECK(by_rule == bed.drops());
        CHECK(bed.take(1).size() == total.pass);
        // A flow was entered once, however many generations judged it.
        CHECK(bed.sum(&WorkerCounters::inserted) == 2 * kFlows);
        CHECK(bed.sum(&WorkerCounters::erased) == 0);
    }
    CHECK(DpdkSession::get().mbufs_out() == before);
}

TEST_CASE("reloads with recheck under traffic end each refused flow, and count every packet once") {
    std::mt19937_64 random(13);
    const uint32_t before = DpdkSession::get().mbufs_out();
    {
        WorkerBed bed({});
        std::vector<Frame> ready = make_batch(random);
        const auto rechecking = [](unsigned number) {
            auto snapshot = generation(number);
            snapshot->reload.recheck = true;
            return snapshot;
        };
        bed.publish(rechecking(0));
        bed.start(0);
        bed.start(1);
        for (unsigned number = 1; number <= kReloads; ++number) {
            std::vector<Frame> next = make_batch(random);
            for (const Frame& frame : ready)
                bed.put(0, frame.queue, frame.mbuf);
            bed.publish(rechecking(number));
            ready = std::move(next);
        }
        for (const Frame& frame : ready)
            bed.put(0, frame.queue, frame.mbuf);
        const bool is_settled = bed.settle();
        bed.stop();
        REQUIRE(is_settled);

        uint64_t judged = 0, cut = 0, dropped = 0;
        for (const auto& snapshot : bed.snapshots()) {
            judged += judged_by(*snapshot).all;
            std::vector<RuleCount> counts(snapshot->ruleset.index_count);
            for (const auto& paths : snapshot->paths)
                paths->add_up(counts);
            for (const RuleCount& count : counts)
                cut += count.flows_cut;
        }
        for (uint16_t worker = 0; worker < 2; ++worker)
            dropped += bed.counters(worker).drops[static_cast<size_t>(DropReason::Recheck)].load();
        CHECK(cut > kFlows);
        CHECK(dropped >= cut);
        CHECK(judged + dropped == bed.put_count());
        CHECK(bed.sum(&WorkerCounters::erased) == cut);
        CHECK(bed.sum(&WorkerCounters::inserted) - cut ==
              bed.worker(0).flows().count() + bed.worker(1).flows().count());
        CHECK(bed.sum(&WorkerCounters::forwarded) + bed.drops() == bed.put_count());
        CHECK(bed.take(1).size() == bed.sum(&WorkerCounters::forwarded));
    }
    CHECK(DpdkSession::get().mbufs_out() == before);
}

}  // namespace rampart::test
