// RteHashIndex: flow keys of one family -> TableEntry, in DPDK's rte_hash.
//
// Keys are FlowKey4 or FlowKey6, as given to create(). Allocated at start. Owner: one worker, which
// alone calls it. The .cc is the only file that includes rte_hash.h.
#pragma once

#include <cstdint>
#include <string>

#include "conntrack/table_entry.h"

struct rte_hash;

namespace rampart {

class RteHashIndex {
  public:
    RteHashIndex() = default;
    ~RteHashIndex();
    RteHashIndex(const RteHashIndex&) = delete;
    RteHashIndex& operator=(const RteHashIndex&) = delete;

    // Room for `capacity` keys; false: no memory. `name` is unique in the process.
    bool create(const std::string& name, uint32_t key_bytes, uint32_t capacity, int numa_node);
    // Of rte_hash, and what they take (table_bytes.cc).
    static uint32_t slots_for(uint32_t capacity) noexcept;
    static uint64_t bytes_for(uint32_t key_bytes, uint32_t capacity) noexcept;

    // entries[n] is what there is for keys[n], or none. At most 64.
    void find(const void* const* keys, const uint32_t* hashes, uint32_t count,
              TableEntry* entries) const noexcept;
    // None, when it is not there.
    TableEntry look_up(const void* key, uint32_t hash) const noexcept;
    // Replaces the entry of a key that is there. False: no room.
    bool add(const void* key, uint32_t hash, TableEntry entry) noexcept;
    // False: it was not there.
    bool remove(const void* key, uint32_t hash) noexcept;

  private:
    rte_hash* hash_ = nullptr;
};

}  // namespace rampart
