// Replay: process() fed from memory, with the packets' own times as its clock.
//
// Stands where a worker stands: one flow table of conntrack.max flows, one burst at a time, a hash
// with a fixed seed, so that the same input gives the same output. The first packet arrives at 1 s;
// a time that goes backwards leaves the clock where it is. The packets of one burst share a time,
// that of the last. Before each burst the ager's job is done, at most once in kSweep_ns.
// Needs EAL. One thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/flow_list.h"
#include "dataplane/burst.h"
#include "dataplane/context.h"
#include "decider.h"
#include "dpdk/packet_pool.h"

namespace rampart {

struct Arrival {
    int64_t time_ns;  // since 1970, or any other moment
    InterfaceIndex port;
    std::span<const uint8_t> frame;
};

struct Outcome {
    Verdict verdict = Verdict::Pending;  // Forward, Drop or Held
    DropReason reason{};                 // of Drop
    InterfaceIndex out_port = kNoInterface;
    std::optional<CtClass> ct_class;  // none when the packet ended before tracking, or is not IP
    InvalidReason invalid = InvalidReason::None;
    Decider decider;                           // empty unless asked for
    std::vector<std::vector<uint8_t>> frames;  // as they leave: one, or a datagram's fragments
    std::vector<uint8_t> reply;                // what the sender gets; empty: nothing
};

class Replay {
  public:
    struct Options {
        uint32_t burst_size = 1;  // at most kBurstSize
        bool finds_deciders = false;
    };
    // What EAL must be started with for this many flows. It needs neither root nor hugepages.
    static std::vector<std::string> eal_arguments(uint32_t max_flows, const Options& options);
    static Result<std::unique_ptr<Replay>> create(std::unique_ptr<Snapshot> snapshot,
                                                  const Options& options);

    // One burst of at most burst_size packets; one outcome for each.
    Result<std::vector<Outcome>> run(std::span<const Arrival> arrivals);

    // The connections that live at the time of the last packet.
    std::vector<FlowEntry> flows() const;

  private:
    static constexpr uint64_t kSweep_ns = 100'000'000;

    Replay(std::unique_ptr<Snapshot> snapshot, std::unique_ptr<FlowTable> table,
           std::unique_ptr<PacketPool> pool, const Options& options);
    void advance_to(int64_t time_ns);
    void sweep();
    rte_mbuf* make_mbuf(std::span<const uint8_t> frame);
    Outcome outcome_of(uint32_t i);
    void take_replies(std::vector<Outcome>& outcomes);

    std::unique_ptr<Snapshot> snapshot_;
    std::unique_ptr<FlowTable> table_;
    std::unique_ptr<PacketPool> pool_;
    std::unique_ptr<Reassembly> reassembly_;  // before the pool goes
    std::unique_ptr<WorkerCounters> counters_;
    std::unique_ptr<Burst> burst_;
    std::optional<DeciderFinder> finder_;
    Steering steering_ = Steering::single();
    WorkerContext context_;
    std::optional<int64_t> first_ns_;  // the time of the first packet
    uint64_t swept_ns_ = 0;            // Now::ns at the last sweep
    FlowIndex used_slots_ = 0;         // no flow ever had this index or a higher one
};

}  // namespace rampart
