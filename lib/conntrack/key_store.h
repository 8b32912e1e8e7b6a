// KeyStore: keys written out, for entries of a TagIndex that have no flow here to keep them: those
// of flows of other workers.
//
// Allocated at start. Owner: the KeyTable of one worker.
#pragma once

#include <cstdint>

#include "base/ip_address.h"
#include "base/prefetch.h"
#include "conntrack/table_entry.h"
#include "packet/tuple.h"

namespace rampart {

class KeyStore {
  public:
    static constexpr uint32_t kNoSlot = UINT32_MAX;

    KeyStore() = default;
    ~KeyStore();
    KeyStore(const KeyStore&) = delete;
    KeyStore& operator=(const KeyStore&) = delete;

    // Room for `capacity` keys, which may be none; false: no memory.
    bool create(uint32_t capacity, int numa_node);
    static uint64_t bytes_for(uint32_t capacity) noexcept;  // table_bytes.cc

    // `key` is a FlowKey4 or FlowKey6. kNoSlot: no room.
    uint32_t add(Family family, const void* key, TableEntry entry) noexcept;
    void remove(uint32_t slot) noexcept;
    bool is_key(uint32_t slot, Family family, const void* key) const noexcept;
    TableEntry entry(uint32_t slot) const noexcept { return keys_[slot].entry; }
    void prefetch(uint32_t slot) const noexcept { prefetch_to_read(&keys_[slot]); }

  private:
    struct alignas(64) Written {
        union {
            FlowKey6 key6;
            FlowKey4 key4;
        };
        TableEntry entry;
        uint32_t next_free;
        Family family;
    };
    static_assert(sizeof(Written) == 64);

    Written* keys_ = nullptr;
    uint32_t first_free_ = kNoSlot;
};

}  // namespace rampart
