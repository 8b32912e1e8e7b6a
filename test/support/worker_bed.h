// WorkerBed: real Workers on threads of their own, between two ring ports named lan and wan.
//
// Frames go into the queue the test chooses, as a NIC without a common hash would spread them.
// Control thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/worker.h"
#include "rules/rule_states.h"
#include "support/ring_port.h"

namespace rampart::test {

class WorkerBed {
  public:
    struct Options {
        uint16_t workers = 2;
        unsigned transmit_slots = 8192;
        uint32_t capacity = 4096;    // flows of each worker
        Routing* routing = nullptr;  // outlives the bed; null: no port is routed
        bool has_twins = true;       // the kernel takes what is for the box; see take_for_kernel()
        std::optional<Steering> steering = {};  // none: by software
    };
    explicit WorkerBed(const Options& options);
    ~WorkerBed();

    // The snapshot lives as long as the bed. Waits until all running workers use it.
    void publish(std::unique_ptr<Snapshot> snapshot);
    void start(uint16_t worker);
    void stop();  // all, and waits for them

    void put(InterfaceIndex port, uint16_t queue, rte_mbuf* mbuf);
    std::vector<Bytes> take(InterfaceIndex port) { return ports_[port]->take(); }
    // As the kernel path does, when a port is routed. What it takes is freed.
    void put_from_kernel(InterfaceIndex port, uint16_t worker, rte_mbuf* mbuf);
    uint32_t take_for_kernel(uint16_t worker);
    // All frames put so far were received and none is between two workers.
    bool is_settled() const;
    // Waits for that; false when it takes longer than a test may.
    bool settle() const;

    const Snapshot& latest() const { return *latest_.load(); }
    const Steering& steering() const { return steering_; }
    Worker& worker(uint16_t index) { return *workers_[index]; }
    const WorkerCounters& counters(uint16_t index) const { return workers_[index]->counters(); }
    uint64_t drops() const;
    uint64_t held() const;  // fragments waiting for others
    uint64_t sum(Counter WorkerCounters::*counter) const;
    // What control reads while workers run; returns packets counted by all rules and policies.
    uint64_t read_everything() const;
    // All that were published, oldest first. To be read when the workers have stopped.
    const std::vector<std::unique_ptr<Snapshot>>& snapshots() const { return snapshots_; }
    uint64_t put_count() const { return put_count_; }

  private:
    Steering steering_;
    std::unique_ptr<HandOff> hand_off_;
    std::unique_ptr<Notices> notices_;
    std::vector<const HelperFlows*> helpers_;
    std::vector<std::unique_ptr<RingPort>> ports_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::thread> threads_;
    std::vector<bool> is_running_;
    RuleStates states_{KeyedHash::from_seed(1)};
    std::vector<std::unique_ptr<Snapshot>> snapshots_;
    std::atomic<const Snapshot*> latest_{nullptr};
    uint64_t put_count_ = 0;
};

}  // namespace rampart::test
