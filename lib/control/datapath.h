// Datapath: the ports and workers of the running firewall, from creation to orderly stop.
//
// Built once from the SystemSettings; what it holds (ports, pool, tables, rings) lives until it is
// destroyed, after its workers have stopped. Eal must outlive it.
//
//   create   pool -> ports (open, start) -> steering -> hand-off -> routing -> workers -> kernel
//   path launch   workers run on their lcores; publish a snapshot first, or they drop everything
//   stop     workers end and are joined, the kernel path ends, ports stop
//
// Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "config/system_settings.h"
#include "control/eal_arguments.h"
#include "control/thread_clock.h"
#include "dataplane/hand_off.h"
#include "dataplane/steering.h"
#include "dataplane/transmit_lock.h"
#include "dataplane/worker.h"
#include "dpdk/eal.h"
#include "dpdk/packet_pool.h"
#include "dpdk/port.h"
#include "kernel/kernel_path.h"
#include "nat/reserved_ports.h"
#include "routing/routing.h"

namespace rampart {

class Datapath {
  public:
    static Result<std::unique_ptr<Datapath>> create(const SystemSettings& system,
                                                    const EalPlan& plan, uint32_t max_flows,
                                                    TscClock clock);
    ~Datapath();
    Datapath(const Datapath&) = delete;
    Datapath& operator=(const Datapath&) = delete;

    // Makes what these settings need and others do not; before workers see them.
    Result<void> get_ready_for(const ConntrackSettings& settings);
    // Each thread begins with `prepare`.
    Result<void> launch(Eal& eal, const std::function<void()>& prepare);
    void stop(Eal& eal);

    const std::vector<std::unique_ptr<Port>>& ports() const noexcept { return ports_; }
    // Of ports()[n]: VLANs are interfaces, too, but have no port of their own.
    InterfaceIndex interface_of(size_t n) const noexcept { return indexes_[n]; }
    // Null: no port is routed.
    KernelPath* kernel_path() noexcept { return kernel_path_.get(); }
    const KernelPath* kernel_path() const noexcept { return kernel_path_.get(); }
    // Plain pointers for those who share the workers: publisher, ager, statistics, commands.
    const std::vector<Worker*>& workers() const noexcept { return worker_pointers_; }
    const std::vector<unsigned>& worker_cpus() const noexcept { return worker_cpus_; }
    const ThreadClock& worker_thread(size_t worker) const { return *worker_threads_[worker]; }
    const Steering& steering() const noexcept { return *steering_; }
    const PacketPool& pool() const noexcept { return *pool_; }
    ReservedPorts& reserved_ports() noexcept { return reserved_ports_; }
    uint64_t flow_count() const noexcept;

    // Waits until the worker has done everything that was posted to it so far; false when it takes
    // longer than `timeout_ms`.
    static bool wait_for_commands(Worker& worker, uint32_t timeout_ms);

  private:
    Datapath() = default;
    Result<void> open_ports(const SystemSettings& system, uint16_t workers);
    void choose_steering(uint16_t workers);
    Result<void> make_workers(const SystemSettings& system, uint16_t count, uint32_t max_flows,
                              TscClock clock);
    std::vector<WorkerPort> ports_of_worker(const SystemSettings& system, uint16_t worker,
                                            uint16_t workers);
    Result<void> make_kernel_path(const SystemSettings& system);
    void wait_for_turns() const;

    // Destroyed in reverse: workers, rings, ports, and the pool their packets came from at last.
    std::unique_ptr<PacketPool> pool_;
    std::vector<uint8_t> rss_key_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::vector<InterfaceIndex> indexes_;                            // of ports_
    std::vector<std::vector<std::unique_ptr<TransmitLock>>> locks_;  // by port, transmit queue
    std::unique_ptr<Steering> steering_;
    std::unique_ptr<SourceCounts> sources_;  // before the workers
    std::unique_ptr<HandOff> hand_off_;
    std::unique_ptr<Notices> notices_;         // null with one worker
    std::vector<const HelperFlows*> helpers_;  // the workers' own; they see each other's
    std::unique_ptr<Routing> routing_;         // null: no port is routed
    ReservedPorts reserved_ports_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<Worker*> worker_pointers_;
    std::vector<unsigned> worker_cpus_;
    std::vector<std::unique_ptr<ThreadClock>> worker_threads_;
    unsigned control_cpu_ = 0;
    std::unique_ptr<KernelPath> kernel_path_;
    bool is_running_ = false;
};

}  // namespace rampart
