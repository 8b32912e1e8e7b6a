// HandOff: the rings on which workers pass packets to the worker that owns their flow.
//
// The kernel path (kernel/kernel_path.h) is one more node behind the workers, where there is one:
// what it is given goes to the kernel twin of mbuf->port, and what it gives came from there.
//
// One single-producer, single-consumer ring for each ordered pair of workers, so packets of one
// flow that arrive on one queue stay in order. The ingress port travels in mbuf->port (the
// InterfaceIndex). Where there are twins in the kernel, kernel/kernel_path.h is one more "worker",
// the last. Made by control before the workers run.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"

struct rte_mbuf;
struct rte_ring;

namespace rampart {

// Of mbuf->port: the kernel sent this packet out by the interface, it did not come in there.
inline constexpr uint16_t kFromKernel = 0x100;

// Of mbuf->port, between workers: the chain raw has accepted the packet and is not asked again. The
// helper that it wants stands above, the packet's mark in mbuf->hash.usr.
inline constexpr uint16_t kRawPassed = 0x200;
inline constexpr unsigned kHelperShift = 10;

class HandOff {
  public:
    static Result<std::unique_ptr<HandOff>> create(uint16_t workers);
    ~HandOff();
    HandOff(const HandOff&) = delete;
    HandOff& operator=(const HandOff&) = delete;

    // Worker `from`. False: the ring is full and the caller keeps the packet.
    bool give(uint16_t from, uint16_t to, rte_mbuf* mbuf) noexcept;
    // Worker `to`: up to `capacity` packets from worker `from`.
    uint32_t take(uint16_t from, uint16_t to, rte_mbuf** mbufs, uint32_t capacity) noexcept;
    uint16_t workers() const noexcept { return workers_; }
    // After the workers have stopped: frees what is still under way.
    void drain() noexcept;

  private:
    explicit HandOff(uint16_t workers) : workers_(workers), rings_(workers * workers) {}
    rte_ring*& ring(uint16_t from, uint16_t to) noexcept { return rings_[from * workers_ + to]; }

    uint16_t workers_;
    std::vector<rte_ring*> rings_;
};

}  // namespace rampart
