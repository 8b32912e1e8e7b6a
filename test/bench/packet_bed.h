// PacketBed: process() with everything it needs but ports, for benchmarks.
//
// A flow table, the rules of a configuration, a burst of packet buffers, and a clock that stands
// until somebody moves it. Two interfaces, inside and outside, as a transparent pair or routed.
// Needs EAL (start_eal). One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/burst.h"
#include "dataplane/context.h"
#include "dataplane/nat.h"
#include "dataplane/rule_log.h"
#include "dataplane/unresolved.h"
#include "dpdk/eal.h"
#include "dpdk/packet_pool.h"
#include "rules/snapshot.h"

namespace rampart {

inline constexpr InterfaceIndex kInside = 0, kOutside = 1;
inline constexpr uint32_t kFrameBytes = 96;

inline constexpr const char* kBridged = R"(
version: 1
interfaces:
  inside: { device: "vdev:net_null0", bridge: outside }
  outside: { device: "vdev:net_null1", bridge: inside }
)";
inline constexpr const char* kRouted = R"(
version: 1
interfaces:
  inside: { device: "vdev:net_null0" }
  outside: { device: "vdev:net_null1" }
)";
inline constexpr const char* kChains = R"(
chains:
  forward:
    policy: drop
    rules:
)";
inline constexpr const char* kRules = R"(
      - { state: invalid, action: drop }
      - { state: [established, related], action: accept }
      - { in: inside, state: new, action: accept }
)";

struct Packet4 {
    uint32_t src, dst;
    uint16_t sport, dport;
    bool tcp;
    uint8_t flags = 0x10;
    uint32_t seq = 1000, ack = 1000;
};

// Writes at most kFrameBytes; returns how many.
uint32_t write_frame(uint8_t* frame, const Packet4& packet);
// The same over IPv6, each address at the end of 2001:db8::/32.
uint32_t write_frame6(uint8_t* frame, const Packet4& packet);

// One core, 3 GiB; "--huge" among the arguments: of hugepages.
std::unique_ptr<Eal> start_eal(int argc, char** argv);
bool has_option(int argc, char** argv, const std::string& option);

class PacketBed {
  public:
    struct Options {
        std::string name;
        uint32_t capacity = 0;
        std::string configuration;  // all of it; interfaces are routed unless they are bridged
        KeyIndexKind index = KeyIndexKind::Buckets;
        bool is_checked = false;  // a NIC has verified the checksums
    };
    explicit PacketBed(const Options& options);
    ~PacketBed();

    // Into the buffer of packet `i` of the next burst.
    void load_frame(uint32_t i, const uint8_t* frame, uint32_t length, bool is_reply);
    // The first `count` of them become the burst.
    void load_burst(uint32_t count);
    // process() for them; cycles per packet.
    double send(uint32_t count);
    void set_checked(bool is_checked) { is_checked_ = is_checked; }
    void pass_time(uint64_t ns) { context_.now = Now::at(context_.now.ns + ns); }

    rte_mbuf* mbuf(uint32_t i) { return mbufs_[i]; }
    FlowTable& table() const { return *table_; }
    Burst& burst() { return *burst_; }
    WorkerContext& context() { return context_; }
    const WorkerCounters& counters() const { return *counters_; }

  private:
    bool is_checked_ = false;
    rte_mbuf* mbufs_[kBurstSize];
    InterfaceIndex in_ports_[kBurstSize];
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

}  // namespace rampart
