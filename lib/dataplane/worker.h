// Worker: one poll-mode thread on one core.
//
//   loop:  clock -> snapshot -> mailbox -> for each port: receive, process, transmit
//                                       -> packets handed over by other workers
//
// Built by control/datapath on the control thread, run() on its lcore until stop(). Everything it
// touches per packet is its own; it shares the snapshot pointer, its mailbox, the hand-off rings
// and its counters. Between receive and transmit: no allocation, no system call, and no lock but
// where a port has fewer transmit queues than there are workers (transmit_lock.h).
//
// Which thread: run() the worker; stop(), publish(), seen_generation(), and the accessors control.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "conntrack/flow_table.h"
#include "dataplane/burst.h"
#include "dataplane/context.h"
#include "dataplane/hand_off.h"
#include "dataplane/helper_flows.h"
#include "dataplane/journal.h"
#include "dataplane/mailbox.h"
#include "dataplane/nat.h"
#include "dataplane/notices.h"
#include "dataplane/packet_capture.h"
#include "dataplane/packet_trace.h"
#include "dataplane/rule_log.h"
#include "dataplane/unresolved.h"
#include "dpdk/tsc_clock.h"

namespace rampart {

// A port as a worker sees it.
struct WorkerPort {
    uint16_t port_id = 0;  // DPDK's
    uint16_t receive_queue = 0;
    bool receives = false;    // this worker polls a queue of this port
    InterfaceIndex port = 0;  // of a VLAN: its parent; else itself
    bool has_twin = false;    // the kernel takes what is for the box
    uint16_t transmit_queue = 0;
    class TransmitLock* lock = nullptr;  // set when several workers share the transmit queue
};

class Worker {
  public:
    struct Options {
        uint16_t index = 0;
        std::vector<WorkerPort> ports;  // by InterfaceIndex
        std::unique_ptr<FlowTable> flows;
        std::unique_ptr<Reassembly> reassembly;
        std::unique_ptr<Mailbox> mailbox;
        std::unique_ptr<Journal> journal;        // null: nothing is told
        std::unique_ptr<RuleLog> rule_log;       // null: rules log nothing
        std::unique_ptr<PacketTrace> trace;      // null: nothing is traced
        std::unique_ptr<PacketCapture> capture;  // null: nothing is captured
        const Steering* steering = nullptr;
        SourceCounts* sources = nullptr;  // of all workers
        Notices* notices = nullptr;       // null with one worker
        HandOff* hand_off = nullptr;      // null with one worker and no routed port
        uint16_t workers = 1;
        Routing* routing = nullptr;  // null: no port is routed
        std::unique_ptr<Nat> nat;    // likewise
        std::unique_ptr<Unresolved> unresolved;
        std::unique_ptr<HelperFlows> helpers;             // null: no flow gets a helper
        std::span<const HelperFlows* const> all_helpers;  // of all workers, as long as they run
        TscClock clock;                                   // the same for all workers
        bool sleep_when_idle = false;
    };
    explicit Worker(Options options);
    ~Worker();

    void run() noexcept;  // until stop()
    void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }

    // The worker uses `snapshot` from its next loop on; the old one is free once
    // seen_generation() tells so.
    void publish(const Snapshot* snapshot) noexcept {
        next_snapshot_.store(snapshot, std::memory_order_release);
    }
    uint32_t seen_generation() const noexcept {
        return seen_generation_.load(std::memory_order_acquire);
    }

    // Loops that have ended; what a worker reads of the sets it holds for one loop only.
    uint64_t turns() const noexcept { return turns_.load(std::memory_order_acquire); }

    // What turns Now::ns into wall-clock time, from the next loop on.
    void set_wall_offset(uint64_t ns) noexcept { wall_offset_ns_.store(ns); }

    uint16_t index() const noexcept { return options_.index; }
    const FlowTable& flows() const noexcept { return *options_.flows; }
    const Reassembly& reassembly() const noexcept { return *options_.reassembly; }
    Mailbox& mailbox() noexcept { return *options_.mailbox; }
    Journal& journal() noexcept { return *options_.journal; }
    HelperFlows* helpers() const noexcept { return options_.helpers.get(); }
    const Nat* nat() const noexcept { return options_.nat.get(); }
    uint32_t unresolved() const noexcept {
        return options_.unresolved == nullptr ? 0 : options_.unresolved->held();
    }
    RuleLog& rule_log() noexcept { return *options_.rule_log; }
    PacketTrace& trace() noexcept { return *options_.trace; }
    PacketCapture& capture() noexcept { return *options_.capture; }
    const WorkerCounters& counters() const noexcept { return *counters_; }

    // One turn of the loop without clock or ports, for tests: runs the commands in the mailbox.
    uint32_t run_commands(Now now) noexcept;

  private:
    void refresh_snapshot() noexcept;
    void prefetch_for(std::span<const Command> commands, Now now) const noexcept;
    uint32_t run_command(const Command& command, Now now) noexcept;
    uint32_t poll_port(InterfaceIndex index) noexcept;
    uint32_t poll_hand_off() noexcept;
    void read_notices() noexcept;
    void settle_with_others() noexcept;
    void release_resolved() noexcept;
    void lose(const Unresolved::Waiting& waiting) noexcept;
    void label(uint32_t i) noexcept;  // a packet to be handed over
    void deliver(InterfaceIndex interface, rte_mbuf* mbuf, Counter& done) noexcept;
    void note_lost(const rte_mbuf* mbuf, InterfaceIndex interface, DropReason reason) noexcept;
    void expire_fragments() noexcept;
    void finish() noexcept;  // verdicts -> transmit, hand over, free
    InterfaceIndex common_way_out() const noexcept;
    void forward(InterfaceIndex out, rte_mbuf** mbufs, const uint32_t* bytes,
                 uint32_t count) noexcept;
    void forward_datagram(uint32_t i) noexcept;
    struct OutBatch;
    void make_room(OutBatch& batch, InterfaceIndex port) noexcept;
    void add_datagram(OutBatch& batch, uint32_t i) noexcept;
    void flush(OutBatch& batch) noexcept;
    // Sends and frees the rest; returns how many went out.
    uint32_t transmit(InterfaceIndex out, rte_mbuf** mbufs, const uint32_t* bytes,
                      uint32_t count) noexcept;
    void send_replies() noexcept;
    void count_dropped(DropReason reason, uint32_t count) noexcept {
        counters_->drops[static_cast<size_t>(reason)].add(count);
    }

    Options options_;
    std::unique_ptr<WorkerCounters> counters_;
    std::unique_ptr<Burst> burst_;
    Tick next_expiry_ = 0;  // of expectations
    WorkerContext context_;
    std::atomic<const Snapshot*> next_snapshot_{nullptr};
    std::atomic<uint32_t> seen_generation_{0};  // worker: rw, control: ro
    std::atomic<uint64_t> turns_{0};            // worker: rw, control: ro
    Shared<uint64_t> wall_offset_ns_;           // control: rw, worker: ro
    std::atomic<bool> stop_{false};
};

}  // namespace rampart
