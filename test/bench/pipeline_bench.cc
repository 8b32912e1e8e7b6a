// Cycles per packet of process() alone: no ports, no clock in the loop, packets from memory.
//
// For work on the packet path; the figures in docs/performance.md are of the whole daemon (scripts/
// bench.sh). Each line: protocol, flows, cycles per packet of a burst of 64 (median and 10th
// percentile over bursts), packets in random order over flows that are established in both
// directions. Runs without root and without hugepages: --huge uses them.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "config/loader.h"
#include "dataplane/pipeline.h"
#include "dataplane/rule_log.h"
#include "dpdk/eal.h"
#include "dpdk/packet_pool.h"
#include "packet/checksum.h"

namespace rampart {
namespace {

constexpr uint32_t kFrames = 1 << 16;  // distinct packets, drawn at random
constexpr uint32_t kFrameBytes = 64;

constexpr const char* kHead = R"(
version: 1
interfaces:
  inside: { device: "vdev:net_null0", bridge: outside }
  outside: { device: "vdev:net_null1", bridge: inside }
chains:
  forward:
    policy: drop
    rules:
)";
constexpr const char* kLogEverything = "      - { log: \"all: \" }\n";
constexpr const char* kRules = R"(
      - { state: invalid, action: drop }
      - { state: [established, related], action: accept }
      - { in: inside, state: new, action: accept }
)";

struct Packet4 {
    uint32_t src, dst;
    uint16_t sport, dport;
    bool tcp;
};

uint32_t write_frame(uint8_t* frame, const Packet4& packet) {
    std::memset(frame, 0, 60);
    frame[5] = 1;
    frame[11] = 2;
    frame[12] = 8;
    uint8_t* ip = frame + 14;
    const uint16_t l4 = packet.tcp ? 20 : 26;
    ip[0] = 0x45;
    store_host16(ip + 2, static_cast<uint16_t>(20 + l4));
    ip[8] = 64;
    ip[9] = packet.tcp ? 6 : 17;
    store_host32(ip + 12, packet.src);
    store_host32(ip + 16, packet.dst);
    store(ip + 10, checksum_of(ip, 20));
    uint8_t* head = ip + 20;
    store_host16(head, packet.sport);
    store_host16(head + 2, packet.dport);
    if (packet.tcp) {
        store_host32(head + 4, 1000);
        store_host32(head + 8, 1000);
        head[12] = 0x50;
        head[13] = 0x10;
        store_host16(head + 14, 65000);
    } else {
        store_host16(head + 4, l4);
    }
    const uint64_t sum = checksum_add(pseudo_header_sum4(ip, ip[9], l4), head, l4);
    store(head + (packet.tcp ? 16 : 6), static_cast<uint16_t>(~checksum_fold(sum)));
    return 60;
}

class Bench {
  public:
    Bench(const std::string& name, uint32_t flows, const std::string& rules)
        : pool_(PacketPool::create(name, 4096, -1).value()),
          table_(FlowTable::create({.name = name, .capacity = flows * 4 / 3 + 64}).value()),
          rule_log_(RuleLog::create(name, -1).value()),
          steering_(Steering::single()),
          reassembly_({}),
          counters_(new WorkerCounters),
          context_(*table_, reassembly_, *counters_, steering_, 0),
          burst_(new Burst) {
        Diagnostics diagnostics;
        auto configuration = load_configuration("bench", kHead + rules, diagnostics);
        if (!configuration) std::puts(diagnostics.to_text().c_str());
        snapshot_ = std::move(configuration->snapshot);
        snapshot_->generation = 1;
        snapshot_->paths.push_back(std::make_unique<PathTable>(snapshot_->ruleset.index_count));
        context_.snapshot = snapshot_.get();
        context_.paths = snapshot_->paths[0].get();
        context_.rule_log = rule_log_.get();
        context_.now = Now::at(1'000'000'000);
    }

    void establish(uint32_t flows, bool tcp) {
        rte_pktmbuf_alloc_bulk(pool_->get(), mbufs_, kBurstSize);
        for (uint32_t at = 0; at < flows; at += kBurstSize)
            for (int round = 0; round < 4; ++round) {
                const uint32_t count = std::min(kBurstSize, flows - at);
                for (uint32_t i = 0; i < count; ++i) {
                    uint8_t frame[kFrameBytes];
                    load_frame(i, frame, make_frame(frame, at + i, round & 1, tcp));
                }
                send(count);
            }
        rte_pktmbuf_free_bulk(mbufs_, kBurstSize);
    }

    struct Cycles {
        double median, p10;
    };
    Cycles measure(uint32_t flows, bool tcp) {
        rte_pktmbuf_alloc_bulk(pool_->get(), mbufs_, kBurstSize);
        std::mt19937 random(7);
        std::vector<uint8_t> frames(kFrames * kFrameBytes);
        uint32_t length = 0;
        for (uint32_t i = 0; i < kFrames; ++i)
            length = make_frame(&frames[i * kFrameBytes], static_cast<uint32_t>(random() % flows),
                                random() & 1, tcp);
        std::vector<double> cycles;
        for (int round = 0; round < 10; ++round)
            for (uint32_t at = 0; at < kFrames; at += kBurstSize) {
                // Headers are in the cache when a NIC or a virtual port hands them over.
                for (uint32_t i = 0; i < kBurstSize; ++i)
                    load_frame(i, &frames[(at + i) * kFrameBytes], length);
                rte_mb();
                cycles.push_back(send(kBurstSize));
            }
        std::sort(cycles.begin(), cycles.end());
        rte_pktmbuf_free_bulk(mbufs_, kBurstSize);
        return {cycles[cycles.size() / 2], cycles[cycles.size() / 10]};
    }
    uint32_t entries() const { return table_->count(); }

  private:
    uint32_t make_frame(uint8_t* frame, uint32_t flow, bool reply, bool tcp) {
        Packet4 packet{0x0a000000 + flow % 16384, 0xc0a80000 + flow % 251,
                       static_cast<uint16_t>(1024 + flow / 16384), 80, tcp};
        if (reply) {
            std::swap(packet.src, packet.dst);
            std::swap(packet.sport, packet.dport);
        }
        return write_frame(frame, packet);
    }

    void load_frame(uint32_t i, const uint8_t* frame, uint32_t length) {
        rte_pktmbuf_reset(mbufs_[i]);
        std::memcpy(rte_pktmbuf_append(mbufs_[i], static_cast<uint16_t>(length)), frame, length);
    }

    double send(uint32_t count) {
        burst_->count = count;
        for (uint32_t i = 0; i < count; ++i) {
            burst_->mbuf[i] = mbufs_[i];
            burst_->packet[i].in_port = 0;
        }
        const uint64_t start = rte_rdtsc_precise();
        process(*burst_, context_);
        return static_cast<double>(rte_rdtsc_precise() - start) / count;
    }

    rte_mbuf* mbufs_[kBurstSize];
    std::unique_ptr<PacketPool> pool_;
    std::unique_ptr<FlowTable> table_;
    std::unique_ptr<RuleLog> rule_log_;
    Steering steering_;
    Reassembly reassembly_;
    std::unique_ptr<WorkerCounters> counters_;
    WorkerContext context_;
    std::unique_ptr<Burst> burst_;
    std::unique_ptr<Snapshot> snapshot_;
};

void run(uint32_t flows, bool tcp) {
    Bench bench("bench", flows, kRules);
    bench.establish(flows, tcp);
    const Bench::Cycles cycles = bench.measure(flows, tcp);
    std::printf("%s %8u flows  median %6.1f  p10 %6.1f  (entries %u)\n", tcp ? "tcp" : "udp", flows,
                cycles.median, cycles.p10, bench.entries());
}

// A rule that logs every packet, at the usual rate, against none: in turn, medians of medians.
void run_log(uint32_t flows, bool tcp) {
    constexpr int kRounds = 7;
    Bench plain("plain", flows, kRules),
        logging("logging", flows, kLogEverything + std::string(kRules));
    std::vector<double> without, with;
    for (Bench* bench : {&plain, &logging})
        bench->establish(flows, tcp);
    for (int round = 0; round < kRounds; ++round) {
        without.push_back(plain.measure(flows, tcp).median);
        with.push_back(logging.measure(flows, tcp).median);
    }
    std::sort(without.begin(), without.end());
    std::sort(with.begin(), with.end());
    std::printf("%s %8u flows  without log %6.1f  with %6.1f  ratio %.3f\n", tcp ? "tcp" : "udp",
                flows, without[kRounds / 2], with[kRounds / 2],
                with[kRounds / 2] / without[kRounds / 2]);
}

}  // namespace
}  // namespace rampart

int main(int argc, char** argv) {
    std::vector<std::string> arguments{"--no-pci", "--no-telemetry", "-l",          "0",
                                       "-m",       "2048",           "--log-level", "error"};
    const bool is_huge = argc > 1 && std::string(argv[1]) == "--huge";
    arguments.push_back(is_huge ? "--in-memory" : "--no-huge");
    auto eal = rampart::Eal::start(arguments);
    if (!eal) return 1;
    for (const uint32_t flows : {1u, 4096u, 65536u, 1u << 20})
        for (const bool tcp : {false, true})
            rampart::run(flows, tcp);
    for (const uint32_t flows : {1u, 65536u})
        for (const bool tcp : {false, true})
            rampart::run_log(flows, tcp);
    return 0;
}
