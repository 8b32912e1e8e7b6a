// What packet buffers take, apart from what makes them: `rampartctl doctor` asks without DPDK.
#include <bit>

#include <rte_mbuf_core.h>

#include "dpdk/packet_pool.h"

namespace rampart {

uint64_t PacketPool::bytes_for(uint32_t mbufs) noexcept {
    // And the ring that those which are free wait in.
    return uint64_t{mbufs} *
               (sizeof(rte_mbuf) + kDataBytes + RTE_PKTMBUF_HEADROOM + RTE_CACHE_LINE_SIZE) +
           std::bit_ceil(uint64_t{mbufs} + 1) * sizeof(void*);
}

}  // namespace rampart
