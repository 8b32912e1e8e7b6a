// KernelPath: the thread that carries packets between the workers and the kernel's twins, and runs
// the mirror.
//
//   workers --hand-over rings--> KernelPath --write--> twin (TAP) --> sshd, FRR, ARP, ...
//   workers <-hand-over rings--  KernelPath <--read--  twin
//
// It is one more node of HandOff, the last. A packet for the kernel has its port's InterfaceIndex
// in mbuf->port (frames of a VLAN keep their tag and go by the parent); one from the kernel has
// kFromKernel as well, and goes to the worker `index % workers`, so that a port's packets stay in
// order. Workers never wake it: it looks every 50 us while packets flow, else every millisecond.
// It is the only one that changes Routing.
//
// Control thread: create (twins, VLANs, addresses and the first dump), start, stop, counters,
// run_inside. Its own thread: all else. Sources: tuntap.rst, netlink(7).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/mac_address.h"
#include "base/result.h"
#include "base/shared.h"
#include "config/system_settings.h"
#include "dataplane/hand_off.h"
#include "kernel/borrowed_device.h"
#include "kernel/link_setup.h"
#include "kernel/mirror.h"
#include "kernel/twin.h"
#include "routing/routing.h"

struct rte_mempool;

namespace rampart {

// Of one port. Kernel path: rw, control: ro.
struct KernelPathCounters {
    Shared<uint64_t> to_kernel_packets, to_kernel_bytes;
    Shared<uint64_t> from_kernel_packets, from_kernel_bytes;
    Shared<uint64_t> dropped_no_twin;  // to the kernel, by a port that has none
    Shared<uint64_t> dropped_refused;  // to the kernel, which did not take it (twin down, too long)
    Shared<uint64_t> dropped_no_mbuf;  // from the kernel, and no packet buffer was free
    Shared<uint64_t> dropped_hand_off_full;  // from the kernel, to a worker that is behind
};

class KernelPath {
  public:
    struct Options {
        std::vector<DeviceSettings> interfaces;  // by InterfaceIndex
        std::vector<MacAddress> macs;            // of the ports; of VLANs not looked at
        uint16_t workers = 1;
        HandOff* hand_off = nullptr;  // between workers + 1
        rte_mempool* pool = nullptr;
        Routing* routing = nullptr;
        // As Routing::apply() wants it; asked only while the thread runs.
        std::function<void()> wait_for_workers;
        // Whether the port's other end answers; asked ten times a second.
        std::function<bool(InterfaceIndex)> has_carrier;
        std::optional<unsigned> cpu;
    };
    static Result<std::unique_ptr<KernelPath>> create(Options options);
    ~KernelPath();
    KernelPath(const KernelPath&) = delete;
    KernelPath& operator=(const KernelPath&) = delete;

    void start();
    // After the workers have stopped: what they gave is delivered yet.
    void stop();

    // Runs it on the thread, between two of its loops, and waits for the end.
    void run_inside(const std::function<void()>& work);
    // The twins get these addresses instead of those that the configuration gave before. By
    // run_inside(), when the thread runs. What could not be done is told.
    std::vector<Error> set_addresses(const std::vector<DeviceSettings>& interfaces);
    // By run_inside().
    const Routing& routing() const noexcept { return *options_.routing; }
    Mirror& mirror() noexcept { return *mirror_; }
    // By InterfaceIndex.
    const KernelPathCounters& counters(InterfaceIndex index) const noexcept {
        return counters_[index];
    }

  private:
    explicit KernelPath(Options options);
    Result<void> make_twins();
    Result<void> make_vlans();
    Result<void> open_waiting();
    void loop();
    void wait(bool is_busy);
    uint32_t take_from_workers();
    void deliver(struct rte_mbuf* mbuf) noexcept;
    uint32_t read_twin(InterfaceIndex index);
    bool fill_spare();
    struct rte_mbuf* take_frame(size_t bytes) noexcept;
    void follow_carriers(uint64_t now_ns);
    void run_work();

    Options options_;
    std::optional<LinkSetup> links_;
    std::vector<std::unique_ptr<Twin>> twins_;  // by InterfaceIndex; null: it has none
    std::vector<std::unique_ptr<BorrowedDevice>> borrowed_;
    std::vector<KernelIndex> kernel_links_;  // by InterfaceIndex; 0: none
    std::vector<std::vector<IpPrefix>> addresses_;
    std::unique_ptr<Mirror> mirror_;
    std::unique_ptr<KernelPathCounters[]> counters_;
    std::vector<struct rte_mbuf*> spare_;  // to read the next packet into
    size_t segments_ = 1;                  // that the longest packet takes
    uint64_t next_carriers_ns_ = 0;
    int epoll_ = -1;
    int wake_ = -1;  // eventfd
    std::atomic<bool> stop_{false};
    std::atomic<const std::function<void()>*> work_{nullptr};  // control: sets, thread: clears
    std::thread thread_;
};

}  // namespace rampart
