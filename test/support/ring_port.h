// RingPort: an Ethernet port of DPDK made of rings, whose other ends the test holds.
//
// put() gives frames to receive, take() returns what was transmitted. One queue for each worker.
// What happens before put() happens before the frame is received, and likewise from transmitting to
// take(): callbacks order the memory, which DPDK's own rings do out of the thread sanitizer's
// sight. Control thread; workers reach it through DPDK's port number only.
#pragma once

#include <atomic>
#include <vector>

#include "support/dpdk_session.h"

struct rte_eth_rxtx_callback;
struct rte_ring;

namespace rampart::test {

class RingPort {
  public:
    RingPort(uint16_t queues, unsigned receive_slots, unsigned transmit_slots);
    ~RingPort();
    RingPort(const RingPort&) = delete;
    RingPort& operator=(const RingPort&) = delete;

    uint16_t id() const { return id_; }
    bool put(uint16_t queue, rte_mbuf* mbuf);
    // Everything transmitted so far, freed.
    std::vector<Bytes> take();

  private:
    std::vector<rte_ring*> receive_;
    std::vector<rte_ring*> transmit_;
    uint16_t id_ = 0;
    std::vector<const rte_eth_rxtx_callback*> on_receive_;
    std::vector<const rte_eth_rxtx_callback*> on_send_;
    std::atomic<uint64_t> put_{0};
    std::atomic<uint64_t> sent_{0};
};

}  // namespace rampart::test
