// Cycles per packet of process() alone: no ports, no clock in the loop, packets from memory.
//
// For work on the packet path; the figures in docs/performance.md are of the whole daemon (scripts/
// bench.sh). Each line: protocol, flows, cycles per packet of a burst of 64 (median and 10th
// percentile over bursts), packets in random order over flows that are established in both
// directions. Then what a rule that logs adds, and what routing and translation add, side by side.
// Runs without root and without hugepages: --huge uses them. With --stages: the cycles of each
// stage. With --rte-hash: rte_hash keeps the keys.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "config/loader.h"
#include "dataplane/nat.h"
#include "dataplane/pipeline.h"
#include "dataplane/rule_log.h"
#include "dataplane/stages.h"
#include "dataplane/unresolved.h"
#include "dpdk/eal.h"
#include "dpdk/packet_pool.h"
#include "packet/checksum.h"

namespace rampart {
namespace {

constexpr uint32_t kFrames = 1 << 16;  // distinct packets, drawn at random
constexpr uint32_t kFrameBytes = 64;

KeyIndexKind index = KeyIndexKind::Buckets;

constexpr InterfaceIndex kInside = 0, kOutside = 1;
constexpr MacAddress kOwnMac{0, 0, 0, 0, 0, 1};  // that frames are sent to

constexpr const char* kBridged = R"(
version: 1
interfaces:
  inside: { device: "vdev:net_null0", bridge: outside }
  outside: { device: "vdev:net_null1", bridge: inside }
)";
constexpr const char* kRouted = R"(
version: 1
interfaces:
  inside: { device: "vdev:net_null0" }
  outside: { device: "vdev:net_null1" }
)";
constexpr const char* kTranslation = R"(
nat:
  postrouting:
    - { out: outside, snat: 192.0.2.1 }
)";
constexpr const char* kChains = R"(
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
    std::copy(kOwnMac.begin(), kOwnMac.end(), frame);
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

// Clients and servers are behind one gateway each.
std::unique_ptr<Routing> make_routing() {
    auto routing = Routing::create({.max_routes4 = 1024, .max_routes6 = 64}).value();
    const auto add = [&](InterfaceIndex interface, const char* prefix, const char* gateway) {
        const IpAddress hop = *IpAddress::parse(gateway);
        routing->set_link(interface, true, 1500, {kOwnMac});
        routing->add(
            {.prefix = *IpPrefix::parse(prefix),
             .kind = RouteKind::OnLink,
             .hops = {{.interface = interface, .family = hop.family, .gateway = hop.bytes}}});
        routing->set_neighbour({interface, hop.family, hop.bytes}, NeighbourWord::State::Resolved,
                               {2, 0, 0, 0, 0, static_cast<uint8_t>(interface)});
    };
    add(kInside, "10.0.0.0/8", "172.16.0.2");
    add(kOutside, "192.168.0.0/16", "172.16.1.2");
    routing->add({.prefix = *IpPrefix::parse("192.0.2.1/32"), .kind = RouteKind::Local});
    routing->apply([] {});
    return routing;
}

double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

class Bench {
  public:
    // `configuration`: all of it. Its interfaces are routed unless they are bridged.
    Bench(const std::string& name, uint32_t flows, const std::string& configuration_text)
        : pool_(PacketPool::create(name, 4096, -1).value()),
          table_(FlowTable::create({.name = name,
                                    .capacity = flows * 4 / 3 + 64,
                                    .keys_per_flow = 2,
                                    .index = index})
                     .value()),
          rule_log_(RuleLog::create(name, -1).value()),
          steering_(Steering::single()),
          reassembly_({}),
          counters_(new WorkerCounters),
          context_(*table_, reassembly_, *counters_, steering_, 0),
          burst_(new Burst) {
        Diagnostics diagnostics;
        auto configuration = load_configuration("bench", configuration_text, diagnostics);
        if (!configuration) std::puts(diagnostics.to_text().c_str());
        snapshot_ = std::move(configuration->snapshot);
        snapshot_->generation = 1;
        snapshot_->paths.push_back(std::make_unique<PathTable>(snapshot_->ruleset.index_count));
        if (snapshot_->ruleset.names.interfaces[kInside].bridge_peer == kNoInterface) {
            routing_ = make_routing();
            nat_ = std::make_unique<Nat>(*table_, KeyedHash::from_seed(1));
            unresolved_ = std::make_unique<Unresolved>();
            context_.routing = routing_.get();
            context_.nat = nat_.get();
            context_.unresolved = unresolved_.get();
        }
        context_.use(*snapshot_);
        context_.rule_log = rule_log_.get();
        context_.now = Now::at(1'000'000'000);
    }

    void establish(uint32_t flows, bool tcp) {
        outside_.resize(flows);
        for (uint32_t flow = 0; flow < flows; ++flow)
            outside_[flow] = client_of(flow);
        rte_pktmbuf_alloc_bulk(pool_->get(), mbufs_, kBurstSize);
        for (uint32_t at = 0; at < flows; at += kBurstSize)
            for (int round = 0; round < 4; ++round) {
                const uint32_t count = std::min(kBurstSize, flows - at);
                for (uint32_t i = 0; i < count; ++i) {
                    uint8_t frame[kFrameBytes];
                    const bool is_reply = round & 1;
                    load_frame(i, frame, make_frame(frame, at + i, is_reply, tcp), is_reply);
                }
                send(count);
                for (uint32_t i = 0; (round & 1) == 0 && i < count; ++i)
                    outside_[at + i] = source_in(mbufs_[i]);
            }
        rte_pktmbuf_free_bulk(mbufs_, kBurstSize);
        // From now on packets of UDP belong to streams.
        context_.now = Now::at(context_.now.ns + 3'000'000'000);
    }

    struct Cycles {
        double median, p10;
    };
    Cycles measure(uint32_t flows, bool tcp) {
        std::vector<double> cycles;
        visit_bursts(flows, tcp, [&] { cycles.push_back(send(kBurstSize)); });
        std::sort(cycles.begin(), cycles.end());
        return {cycles[cycles.size() / 2], cycles[cycles.size() / 10]};
    }
    // Calls `visit` with a burst of frames of random flows in mbufs_, many times.
    template <typename Visit>
    void visit_bursts(uint32_t flows, bool tcp, Visit visit) {
        rte_pktmbuf_alloc_bulk(pool_->get(), mbufs_, kBurstSize);
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
                    load_frame(i, &frames[(at + i) * kFrameBytes], length, is_reply[at + i]);
                rte_mb();
                visit();
            }
        rte_pktmbuf_free_bulk(mbufs_, kBurstSize);
    }
    uint32_t entries() const { return table_->count(); }

    // The same by stage: what pipeline.cc runs, with the clock read in between.
    static constexpr const char* kStages[] = {"begin", "parse", "steer", "lookup", "track", "rest"};
    std::array<double, 6> measure_stages(uint32_t flows, bool tcp, bool is_checked) {
        is_checked_ = is_checked;
        std::array<std::vector<double>, 6> cycles;
        visit_bursts(flows, tcp, [&] {
            load_burst(kBurstSize);
            rte_mb();
            uint64_t then = rte_rdtsc_precise();
            size_t stage = 0;
            const auto note = [&] {
                const uint64_t now = rte_rdtsc_precise();
                cycles[stage++].push_back(static_cast<double>(now - then) / kBurstSize);
                then = rte_rdtsc_precise();
            };
            begin_burst(*burst_, context_);
            note();
            parse(*burst_, context_);
            note();
            steer(*burst_, context_);
            note();
            lookup(*burst_, context_);
            note();
            track(*burst_, context_);
            note();
            route(*burst_, context_);
            classify(*burst_, context_);
            rampart::establish(*burst_, context_);
            end_burst(context_);
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
    // As the packet left.
    static Endpoint source_in(rte_mbuf* mbuf) {
        const uint8_t* ip = rte_pktmbuf_mtod_offset(mbuf, const uint8_t*, 14);
        return {load_host32(ip + 12), load_host16(ip + 20)};
    }

    uint32_t make_frame(uint8_t* frame, uint32_t flow, bool is_reply, bool tcp) {
        const Endpoint server{0xc0a80000 + flow % 251, 80};
        const Endpoint from = is_reply ? server : client_of(flow);
        const Endpoint to = is_reply ? outside_[flow] : server;
        return write_frame(frame, {from.address, to.address, from.port, to.port, tcp});
    }

    void load_frame(uint32_t i, const uint8_t* frame, uint32_t length, bool is_reply) {
        in_ports_[i] = is_reply ? kOutside : kInside;
        rte_pktmbuf_reset(mbufs_[i]);
        if (is_checked_)
            mbufs_[i]->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        std::memcpy(rte_pktmbuf_append(mbufs_[i], static_cast<uint16_t>(length)), frame, length);
    }

    void load_burst(uint32_t count) {
        burst_->count = count;
        for (uint32_t i = 0; i < count; ++i) {
            burst_->mbuf[i] = mbufs_[i];
            burst_->packet[i].in_port = in_ports_[i];
        }
    }

    double send(uint32_t count) {
        load_burst(count);
        const uint64_t start = rte_rdtsc_precise();
        process(*burst_, context_);
        return static_cast<double>(rte_rdtsc_precise() - start) / count;
    }

    bool is_checked_ = false;  // a NIC has verified the checksums
    rte_mbuf* mbufs_[kBurstSize];
    InterfaceIndex in_ports_[kBurstSize];
    std::vector<Endpoint> outside_;  // by flow: where its replies go
    std::unique_ptr<PacketPool> pool_;
    std::unique_ptr<FlowTable> table_;
    std::unique_ptr<RuleLog> rule_log_;
    Steering steering_;
    Reassembly reassembly_;
    std::unique_ptr<WorkerCounters> counters_;
    WorkerContext context_;
    std::unique_ptr<Burst> burst_;
    std::unique_ptr<Snapshot> snapshot_;
    std::unique_ptr<Routing> routing_;  // with routed interfaces, as the next two
    std::unique_ptr<Nat> nat_;
    std::unique_ptr<Unresolved> unresolved_;
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

void run_stages(uint32_t flows, bool tcp, bool is_checked) {
    Bench bench("bench", flows, bridged());
    bench.establish(flows, tcp);
    const auto cycles = bench.measure_stages(flows, tcp, is_checked);
    std::printf("%s %8u flows %s", tcp ? "tcp" : "udp", flows, is_checked ? "checked" : "       ");
    for (size_t stage = 0; stage < cycles.size(); ++stage)
        std::printf("  %s %5.1f", Bench::kStages[stage], cycles[stage]);
    std::printf("  sum %6.1f\n", std::accumulate(cycles.begin(), cycles.end(), 0.0));
}

// The second one against the first, in turn; the medians of both, and of the ratios of neighbours:
// a machine that is slower for a while is so for both of a pair.
void compare(const char* what, uint32_t flows, bool tcp, const std::string& plain,
             const std::string& more) {
    constexpr int kRounds = 21;
    Bench first("plain", flows, plain), second("more", flows, more);
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
    std::vector<std::string> arguments{"--no-pci", "--no-telemetry", "-l",          "0",
                                       "-m",       "3072",           "--log-level", "error"};
    const auto has = [&](const std::string& option) {
        return std::find(argv + 1, argv + argc, option) != argv + argc;
    };
    arguments.push_back(has("--huge") ? "--in-memory" : "--no-huge");
    auto eal = rampart::Eal::start(arguments);
    if (!eal) return 1;
    if (has("--rte-hash")) rampart::index = rampart::KeyIndexKind::RteHash;
    if (has("--stages")) {
        for (const uint32_t flows : {4096u, 65536u, 1u << 20, 1u << 22})
            for (const bool tcp : {false, true})
                for (const bool is_checked : {false, true})
                    rampart::run_stages(flows, tcp, is_checked);
        return 0;
    }
    for (const uint32_t flows : {1u, 4096u, 65536u, 1u << 20})
        for (const bool tcp : {false, true})
            rampart::run(flows, tcp);
    const std::string plain = rampart::bridged();
    const std::string routed = std::string(rampart::kRouted) + rampart::kChains + rampart::kRules;
    const std::string logged = rampart::bridged(rampart::kLogEverything);
    for (const uint32_t flows : {1u, 65536u})
        for (const bool tcp : {false, true})
            rampart::compare("with a rule that logs", flows, tcp, plain, logged);
    const std::string translated = routed + rampart::kTranslation;
    for (const uint32_t flows : {1u, 4096u, 65536u})
        for (const bool tcp : {false, true}) {
            rampart::compare("routed, not bridged", flows, tcp, plain, routed);
            rampart::compare("routed, with translation", flows, tcp, routed, translated);
        }
    return 0;
}
