// RingPort: an Ethernet port of DPDK made of rings, whose other ends the test holds.
//
// put() gives frames to receive, take() returns what was transmitted. One queue for each worker.
// Control thread; workers reach it through DPDK's port number only.
#pragma once

#include <vector>

#include "support/dpdk_session.h"

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
};

}  // namespace rampart::test
