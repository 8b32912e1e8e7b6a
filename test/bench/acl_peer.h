// AclPeer: DPDK's rte_acl with the same filters, as the measure for the classifier.
//
// One category, the best algorithm that the CPU has. Needs EAL.
#pragma once

#include <memory>

#include "bench/filter_sets.h"

struct rte_acl_ctx;

namespace rampart::bench {

class AclPeer {
  public:
    // Headers as rte_acl reads them: network order, the protocol first, then words.
    struct Row {
        alignas(4) uint8_t bytes[4 + 16 + 16 + 4];
    };

    // Null when it cannot be built (memory).
    static std::unique_ptr<AclPeer> create(const std::vector<Filter>& filters, Family family);
    ~AclPeer();
    AclPeer(const AclPeer&) = delete;
    AclPeer& operator=(const AclPeer&) = delete;

    static Row row_of(const Header& header, Family family);
    // results[i]: the position of the first filter that matches, plus one; 0: none.
    void find(const uint8_t** rows, uint32_t* results, unsigned count) const;
    double build_ms() const noexcept { return build_ms_; }
    uint64_t size_bytes() const noexcept { return size_bytes_; }

  private:
    AclPeer() = default;
    rte_acl_ctx* acl_ = nullptr;
    double build_ms_ = 0;
    uint64_t size_bytes_ = 0;
};

}  // namespace rampart::bench
