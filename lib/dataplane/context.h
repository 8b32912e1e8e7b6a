// WorkerContext: everything the stages may use besides the burst.
//
// Owner: one worker (or a test, or the replay tool). `now`, `snapshot` and `paths` are set once per
// loop; the rest lives as long as the worker. No I/O and no clock behind it: process() is a
// function of the burst and this.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "base/token_bucket.h"
#include "conntrack/flow_table.h"
#include "dataplane/counters.h"
#include "dataplane/journal.h"
#include "dataplane/reassembly.h"
#include "dataplane/steering.h"
#include "routing/routing.h"
#include "rules/packet_log.h"
#include "rules/snapshot.h"

struct rte_mbuf;

namespace rampart {

class HelperFlows;
class Nat;
class Notices;
class PacketCapture;
class PacketTrace;
class Unresolved;

// Replies to rejected packets, to be sent by whoever called process().
struct Replies {
    struct Reply {
        rte_mbuf* mbuf;
        InterfaceIndex port;
        uint8_t cause;               // position of the rejected packet in its burst
        bool is_for_kernel = false;  // it was the box's own packet
    };
    std::array<Reply, 64> items;
    uint32_t count = 0;
};

// RFC 1812, 4.3.2.8: replies are limited, per worker.
inline constexpr uint64_t kRepliesPerSecond = 1000;

// Timeouts are scaled in 256ths (admission.h).
inline constexpr uint32_t kFullTimeouts = 256;

struct WorkerContext {
    WorkerContext(FlowTable& table, Reassembly& datagrams, WorkerCounters& worker_counters,
                  const Steering& how, uint16_t index) noexcept
        : flows(table),
          reassembly(datagrams),
          counters(worker_counters),
          steering(how),
          worker(index) {}

    // Takes up a snapshot as worker `index` of those it was made for.
    void use(const Snapshot& next) noexcept {
        snapshot = &next;
        paths = next.paths[worker].get();
        counted_flows = next.counted_flows.empty() ? nullptr : next.counted_flows[worker];
        if (counted_flows != nullptr) counted_flows->use(next.counting_rules);
        flows.count_in(counted_flows);
        use_interfaces(next.ruleset.names.interfaces);
    }
    void use_interfaces(const std::vector<Interface>& interfaces) noexcept;

    bool is_routed(InterfaceIndex port) const noexcept {
        return port >= kMaxInterfaces || (routed_ports >> port & 1) != 0;
    }
    // The interface of a frame with this tag on a port; kNoInterface: there is none.
    InterfaceIndex interface_of(InterfaceIndex port, uint16_t vlan) const noexcept;

    Now now;
    const Snapshot* snapshot = nullptr;  // null until the first configuration: nothing passes
    PathTable* paths = nullptr;          // this worker's, in `snapshot`
    uint32_t epoch = 0;                  // of the verdicts that flows remember; once per burst
    FlowTable& flows;
    Reassembly& reassembly;
    WorkerCounters& counters;
    const Steering& steering;
    uint16_t worker = 0;
    SourceCounts* sources = nullptr;         // of all workers; null: nothing is counted
    uint32_t timeout_scale = kFullTimeouts;  // once per burst, see admission.h
    CountedFlows* counted_flows = nullptr;   // this worker's, in `snapshot`; null: no rule counts
    Routing* routing = nullptr;              // null: no port is routed
    Nat* nat = nullptr;                      // null: nothing is translated
    Unresolved* unresolved = nullptr;        // not null when a port is routed
    HelperFlows* helpers = nullptr;          // null: no flow gets a helper
    std::span<const HelperFlows* const> all_helpers;  // of all workers, by number
    Notices* notices = nullptr;                       // null with one worker
    uint32_t route_epoch = 0;                         // of `routing`; once per burst
    uint64_t routed_ports = 0;                        // by InterfaceIndex
    struct Vlan {
        InterfaceIndex port;
        InterfaceIndex interface;
        uint16_t id;
    };
    std::array<Vlan, kMaxInterfaces> vlans;
    uint32_t vlan_count = 0;
    Replies replies;
    TokenBucket reply_limit{kRepliesPerSecond, kRepliesPerSecond};
    PacketLog* rule_log = nullptr;     // null: nothing is logged
    PacketTrace* trace = nullptr;      // null: nothing is traced
    PacketCapture* capture = nullptr;  // null: nothing is captured; set once per loop
    // What is told to control (chronicle.h).
    Journal* journal = nullptr;
    bool tells_flows = false;         // somebody listens; read once per loop
    FlowIndex told_erased = kNoFlow;  // the last one of flows.erased_after()
    uint32_t untold_invalid = 0;      // INVALID packets that the rate kept back
    uint32_t invalid_rate = 1;        // per second; what invalid_limit is made for
    TokenBucket invalid_limit{1, 1};
};

}  // namespace rampart
