#include "dpdk/packet_pool.h"

#include <rte_errno.h>
#include <rte_mbuf.h>

namespace rampart {

constexpr unsigned kCacheSize = 256;  // mbufs each worker keeps at hand

Result<std::unique_ptr<PacketPool>> PacketPool::create(const std::string& name, uint32_t mbufs,
                                                       int numa_node) {
    rte_mempool* pool = rte_pktmbuf_pool_create(name.c_str(), mbufs, kCacheSize, 0,
                                                kDataBytes + RTE_PKTMBUF_HEADROOM, numa_node);
    if (pool == nullptr)
        return failure("no memory for " + std::to_string(mbufs) + " packet buffers (" +
                           std::to_string(bytes_for(mbufs) >> 20) + " MiB)",
                       "raise memory.size, reserve more hugepages, or lower memory.mbufs");
    return std::unique_ptr<PacketPool>(new PacketPool(pool));
}

PacketPool::~PacketPool() {
    rte_mempool_free(pool_);
}

uint32_t PacketPool::size() const noexcept {
    return pool_->size;
}

uint32_t PacketPool::available() const noexcept {
    return rte_mempool_avail_count(pool_);
}

}  // namespace rampart
