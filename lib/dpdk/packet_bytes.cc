// What packet buffers take, apart from what makes them: `rampartctl doctor` asks without DPDK.
#include <rte_mbuf_core.h>

#include "dpdk/packet_pool.h"

namespace rampart {

uint64_t PacketPool::bytes_for(uint32_t mbufs) noexcept {
    return uint64_t{mbufs} *
           (sizeof(rte_mbuf) + kDataBytes + RTE_PKTMBUF_HEADROOM + RTE_CACHE_LINE_SIZE);
}

}  // namespace rampart
