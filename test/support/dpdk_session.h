// DpdkSession: DPDK for tests, up from the first use to the end of the process.
//
// Runs without root, huge pages or devices (`--no-huge --no-pci --no-shconf`). Gives out mbufs with
// chosen bytes, and tells how many are out, so that a test can show that none is lost. EAL's main
// thread is the caller of get().
#pragma once

#include <span>
#include <string>

#include "dpdk/eal.h"
#include "dpdk/packet_pool.h"
#include "support/frame.h"

struct rte_mbuf;

namespace rampart::test {

class DpdkSession {
  public:
    static DpdkSession& get();

    // `cuts`: offsets at which the frame is split into segments, ascending.
    rte_mbuf* make_mbuf(std::span<const uint8_t> frame, std::span<const uint32_t> cuts = {});
    uint32_t mbufs_out() const;
    rte_mempool* pool() const { return pool_->get(); }
    // A name that nothing else in the process has: rings, tables, pools.
    std::string unique_name(const std::string& stem);

  private:
    DpdkSession();

    std::unique_ptr<Eal> eal_;
    std::unique_ptr<PacketPool> pool_;
    unsigned next_name_ = 0;
};

// The whole frame, from all segments.
Bytes bytes_of(const rte_mbuf* mbuf);

}  // namespace rampart::test
