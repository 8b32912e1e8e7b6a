// PacketPool: the mbufs that all ports receive into. Made by control, used by workers through DPDK.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

struct rte_mempool;

namespace rampart {

class PacketPool {
  public:
    static constexpr uint32_t kDataBytes = 2048;

    static Result<std::unique_ptr<PacketPool>> create(const std::string& name, uint32_t mbufs,
                                                      int numa_node);
    ~PacketPool();
    PacketPool(const PacketPool&) = delete;
    PacketPool& operator=(const PacketPool&) = delete;

    rte_mempool* get() const noexcept { return pool_; }
    uint32_t size() const noexcept;
    uint32_t available() const noexcept;  // an estimate while workers run
    static uint64_t bytes_for(uint32_t mbufs) noexcept;

  private:
    explicit PacketPool(rte_mempool* pool) : pool_(pool) {}
    rte_mempool* pool_;
};

}  // namespace rampart
