// Cycles per packet of process() alone: no ports, no clock in the loop, packets from memory.
//
// For work on the packet path; the figures in docs/performance.md are of the whole daemon (scripts/
// bench.sh). Each line: protocol, flows, cycles per packet of a burst of 64 (median and 10th
// percentile over bursts), packets in random order over flows that are established in both
// directions. Then fragments, two to a datagram, and what a rule that logs, IPv6, routing and
// translation add, side by side.
// Runs without root and without hugepages: --huge uses them. With --stages: the cycles of each
// stage. With --rte-hash: rte_hash keeps the keys. With --fragments: these alone.
#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "dataplane/pipeline.h"
#include "dataplane/stages.h"
#include "packet/checksum.h"
#include "packet_bed.h"

namespace rampart {
namespace {

constexpr uint32_t kFrames = 1 << 16;  // distinct packets, drawn at random

KeyIndexKind index = KeyIndexKind::Buckets;

constexpr const char* kTranslation = R"(
nat:
  postrouting:
    - { out: outside, snat: 192.0.2.1 }
)";
constexpr const char* kLogEverything = "      - { log: \"all: \" }\n";

double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

class Bench {
  public:
    Bench(const std::string& name, uint32_t flows, const std::string& configuration,
          bool is_ipv6 = false)
        : is_ipv6_(is_ipv6),
          bed_({.name = name,
                .capacity = flows * 4 / 3 + 64,
                .configuration = configuration,
                .index = index}) {}

    void establish(uint32_t flows, bool tcp) {
        outside_.resize(flows);
        for (uint32_t flow = 0; flow < flows; ++flow)
            outside_[flow] = client_of(flow);
        for (uint32_t at = 0; at < flows; at += kBurstSize)
            for (int round = 0; round < 4; ++round) {
                const uint32_t count = std::min(kBurstSize, flows - at);
                for (uint32_t i = 0; i < count; ++i) {
                    uint8_t frame[kFrameBytes];
                    const bool is_reply = round & 1;
                    bed_.load_frame(i, frame, make_frame(frame, at + i, is_reply, tcp), is_reply);
                }
                bed_.send(count);
                for (uint32_t i = 0; (round & 1) == 0 && i < count; ++i)
                    outside_[at + i] = source_in(bed_.mbuf(i));
            }
        // From now on packets of UDP belong to streams.
        bed_.pass_time(3'000'000'000);
    }

    struct Cycles {
        double median, p10;
    };
    Cycles measure(uint32_t flows, bool tcp) {
        std::vector<double> cycles;
        visit_bursts(flows, tcp, [&] { cycles.push_back(bed_.send(kBurstSize)); });
        std::sort(cycles.begin(), cycles.end());
        return {cycles[cycles.size() / 2], cycles[cycles.size() / 10]};
    }
    // Calls `visit` with a burst of frames of random flows loaded, many times.
    template <typename Visit>
    void visit_bursts(uint32_t flows, bool tcp, Visit visit) {
        std::mt19937 random(7);
        std::vector<uint8_t> frames(kFrames * kFrameBytes);
        std::vector<bool> is_reply(kFrames);
        uint32_t length = 0;
        for (uint32_t i = 0; i < kFrames; ++i) {
            const auto flow = static_cast<uint32_t>(random() % flows);
            is_reply[i] = random() & 1;
            length = make_frame(&frames[i * kFrameBytes], flow, is_reply[i], tcp);
        }
        for (int round = 0; round < 10; ++round)
            for (uint32_t at = 0; at < kFrames; at += kBurstSize) {
                // Headers are in the cache when a NIC or a virtual port hands them over.
                for (uint32_t i = 0; i < kBurstSize; ++i)
                    bed_.load_frame(i, &frames[(at + i) * kFrameBytes], length, is_reply[at + i]);
                rte_mb();
                visit();
            }
    }
    // Of UDP, all of them in two fragments: one after the other, or first all the first ones.
    Cycles measure_fragments(uint32_t flows, bool is_mixed) {
        std::mt19937 random(7);
        std::vector<uint8_t> frames(kFrames * kFrameBytes);
        std::vector<bool> is_reply(kFrames);
        uint32_t length = 0;
        for (uint32_t i = 0; i < kFrames; i += 2) {
            uint8_t* frame = &frames[i * kFrameBytes];
            is_reply[i] = is_reply[i + 1] = random() & 1;
            length = make_frame(frame, static_cast<uint32_t>(random() % flows), is_reply[i], false);
            cut_frame(frame, frame + kFrameBytes, static_cast<uint16_t>(i));
        }
        std::vector<double> cycles;
        for (uint32_t at = 0; at < 10 * kFrames; at += kBurstSize) {
            for (uint32_t i = 0; i < kBurstSize; ++i) {
                const uint32_t from = at % kFrames + i;
                const uint32_t to = is_mixed ? i / 2 + i % 2 * kBurstSize / 2 : i;
                bed_.load_frame(to, &frames[from * kFrameBytes], length, is_reply[from]);
            }
            rte_mb();
            cycles.push_back(bed_.send(kBurstSize));
        }
        std::sort(cycles.begin(), cycles.end());
        return {cycles[cycles.size() / 2], cycles[cycles.size() / 10]};
    }
    uint32_t entries() const { return bed_.table().count(); }

    // The same by stage: what pipeline.cc runs, with the clock read in between.
    static constexpr const char* kStages[] = {"begin", "parse", "steer", "lookup", "track", "rest"};
    std::array<double, 6> measure_stages(uint32_t flows, bool tcp, bool is_checked) {
        bed_.set_checked(is_checked);
        std::array<std::vector<double>, 6> cycles;
        visit_bursts(flows, tcp, [&] {
            bed_.load_burst(kBurstSize);
            rte_mb();
            uint64_t then = rte_rdtsc_precise();
            size_t stage = 0;
            const auto note = [&] {
                const uint64_t now = rte_rdtsc_precise();
                cycles[stage++].push_back(static_cast<double>(now - then) / kBurstSize);
                then = rte_rdtsc_precise();
            };
            begin_burst(bed_.burst(), bed_.context());
            note();
            parse(bed_.burst(), bed_.context());
            note();
            steer(bed_.burst(), bed_.context());
            note();
            lookup(bed_.burst(), bed_.context());
            note();
            track(bed_.burst(), bed_.context());
            note();
            route(bed_.burst(), bed_.context());
            classify(bed_.burst(), bed_.context());
            rampart::establish(bed_.burst(), bed_.context());
            end_burst(bed_.context());
            note();
        });
        std::array<double, 6> medians;
        for (size_t stage = 0; stage < medians.size(); ++stage)
            medians[stage] = median_of(cycles[stage]);
        return medians;
    }

  private:
    struct Endpoint {
        uint32_t address;
        uint16_t port;
    };
    static Endpoint client_of(uint32_t flow) {
        return {0x0a000000 + flow % 16384, static_cast<uint16_t>(1024 + flow / 16384)};
    }
    // Leaves 16 bytes of its payload in the first, the rest is in the second.
    static void cut_frame(uint8_t* first, uint8_t* second, uint16_t id) {
        constexpr uint16_t kIpBytes = 20, kFirstBytes = 16, kMore = 0x2000;
        std::copy_n(first, kFrameBytes, second);
        const auto rest = static_cast<uint16_t>(load_host16(first + 16) - kIpBytes - kFirstBytes);
        std::copy_n(first + 34 + kFirstBytes, rest, second + 34);
        const auto finish = [id](uint8_t* ip, uint16_t bytes, uint16_t place) {
            store_host16(ip + 2, static_cast<uint16_t>(kIpBytes + bytes));
            store_host16(ip + 4, id);
            store_host16(ip + 6, place);
            store<uint16_t>(ip + 10, 0);
            store(ip + 10, checksum_of(ip, kIpBytes));
        };
        finish(first + 14, kFirstBytes, kMore);
        finish(second + 14, rest, kFirstBytes / 8);
    }
    // As the packet left.
    static Endpoint source_in(rte_mbuf* mbuf) {
        if (rte_pktmbuf_mtod_offset(mbuf, const uint8_t*, 12)[0] == 0x86) {
            const uint8_t* ip6 = rte_pktmbuf_mtod_offset(mbuf, const uint8_t*, 14);
            return {load_host32(ip6 + 20), load_host16(ip6 + 40)};
        }
        const uint8_t* ip = rte_pktmbuf_mtod_offset(mbuf, const uint8_t*, 14);
        return {load_host32(ip + 12), load_host16(ip + 20)};
    }

    uint32_t make_frame(uint8_t* frame, uint32_t flow, bool is_reply, bool tcp) {
        const Endpoint server{0xc0a80000 + flow % 251, 80};
        const Endpoint from = is_reply ? server : client_of(flow);
        const Endpoint to = is_reply ? outside_[flow] : server;
        const auto write = is_ipv6_ ? write_frame6 : write_frame;
        return write(frame, {from.address, to.address, from.port, to.port, tcp});
    }

    bool is_ipv6_;
    PacketBed bed_;
    std::vector<Endpoint> outside_;  // by flow: where its replies go
};

std::string bridged(const std::string& rules = {}) {
    return std::string(kBridged) + kChains + rules + kRules;
}

void run(uint32_t flows, bool tcp) {
    Bench bench("bench", flows, bridged());
    bench.establish(flows, tcp);
    const Bench::Cycles cycles = bench.measure(flows, tcp);
    std::printf("%s %8u flows  median %6.1f  p10 %6.1f  (entries %u)\n", tcp ? "tcp" : "udp", flows,
                cycles.median, cycles.p10, bench.entries());
}

void run_fragments(uint32_t flows) {
    Bench bench("bench", flows, bridged());
    bench.establish(flows, false);
    for (const bool is_mixed : {false, true}) {
        const Bench::Cycles cycles = bench.measure_fragments(flows, is_mixed);
        std::printf("udp %8u flows  fragments %-10s median %6.1f  p10 %6.1f\n", flows,
                    is_mixed ? "mixed" : "in order", cycles.median, cycles.p10);
    }
}

void run_stages(const char* kind, uint32_t flows, bool tcp, bool is_checked,
                const std::string& configuration, bool is_ipv6 = false) {
    Bench bench("bench", flows, configuration, is_ipv6);
    bench.establish(flows, tcp);
    const auto cycles = bench.measure_stages(flows, tcp, is_checked);
    std::printf("%s %8u flows %-10s %s", tcp ? "tcp" : "udp", flows, kind,
                is_checked ? "checked" : "       ");
    for (size_t stage = 0; stage < cycles.size(); ++stage)
        std::printf("  %s %5.1f", Bench::kStages[stage], cycles[stage]);
    std::printf("  sum %6.1f\n", std::accumulate(cycles.begin(), cycles.end(), 0.0));
}

// The second one against the first, in turn; the medians of both, and of the ratios of neighbours:
// a machine that is slower for a while is so for both of a pair.
void compare(const char* what, uint32_t flows, bool tcp, const std::string& plain,
             const std::string& more, bool is_ipv6 = false) {
    constexpr int kRounds = 21;
    Bench first("plain", flows, plain), second("more", flows, more, is_ipv6);
    std::vector<double> without, with, ratios;
    for (Bench* bench : {&first, &second})
        bench->establish(flows, tcp);
    for (int round = 0; round < kRounds; ++round) {
        without.push_back(first.measure(flows, tcp).median);
        with.push_back(second.measure(flows, tcp).median);
        ratios.push_back(with.back() / without.back());
    }
    std::printf("%s %8u flows  %-28s %6.1f, %6.1f  ratio %.3f  (entries %u)\n", tcp ? "tcp" : "udp",
                flows, what, median_of(without), median_of(with), median_of(ratios),
                second.entries());
}

}  // namespace
}  // namespace rampart

int main(int argc, char** argv) {
    const auto eal = rampart::start_eal(argc, argv);
    if (eal == nullptr) return 1;
    if (rampart::has_option(argc, argv, "--rte-hash"))
        rampart::index = rampart::KeyIndexKind::RteHash;
    const std::string plain = rampart::bridged();
    const std::string routed = std::string(rampart::kRouted) + rampart::kChains + rampart::kRules;
    const std::string translated = routed + rampart::kTranslation;
    if (rampart::has_option(argc, argv, "--fragments")) {
        rampart::run_fragments(4096);
        return 0;
    }
    if (rampart::has_option(argc, argv, "--stages")) {
        for (const bool tcp : {false, true}) {
            rampart::run_stages("IPv6", 4096, tcp, true, plain, /*is_ipv6=*/true);
            rampart::run_stages("routed", 4096, tcp, true, routed);
            rampart::run_stages("translated", 4096, tcp, true, translated);
        }
        for (const uint32_t flows : {4096u, 65536u, 1u << 20, 1u << 22})
            for (const bool tcp : {false, true})
                for (const bool is_checked : {false, true})
                    rampart::run_stages("", flows, tcp, is_checked, plain);
        return 0;
    }
    for (const uint32_t flows : {1u, 4096u, 65536u, 1u << 20})
        for (const bool tcp : {false, true})
            rampart::run(flows, tcp);
    for (const uint32_t flows : {1u, 4096u, 65536u})
        rampart::run_fragments(flows);
    const std::string logged = rampart::bridged(rampart::kLogEverything);
    for (const uint32_t flows : {1u, 65536u})
        for (const bool tcp : {false, true})
            rampart::compare("with a rule that logs", flows, tcp, plain, logged);
    for (const uint32_t flows : {1u, 4096u, 65536u})
        for (const bool tcp : {false, true})
            rampart::compare("IPv6, not IPv4", flows, tcp, plain, plain, /*is_ipv6=*/true);
    for (const uint32_t flows : {1u, 4096u, 65536u})
        for (const bool tcp : {false, true}) {
            rampart::compare("routed, not bridged", flows, tcp, plain, routed);
            rampart::compare("routed, with translation", flows, tcp, routed, translated);
        }
    return 0;
}
