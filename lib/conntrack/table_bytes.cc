// What flow tables take, apart from what makes them: `rampartctl doctor` asks without DPDK.
#include <algorithm>

#include "conntrack/flow_table.h"

namespace rampart {
namespace {

// rte_hash inserts by moving keys around, which gets slow and fails near full; it is given enough
// slots to stay below this load when the flow table is full.
constexpr uint32_t kMaxLoadPercent = 85;
constexpr uint32_t kMinHashEntries = 64;

}  // namespace

uint32_t KeyTable::slots_for(uint32_t capacity) noexcept {
    const uint64_t entries = uint64_t{capacity} * 100 / kMaxLoadPercent + 8;
    return static_cast<uint32_t>(std::max<uint64_t>(entries, kMinHashEntries));
}

uint64_t KeyTable::bytes_for(uint32_t capacity) noexcept {
    // Per key, rte_hash keeps the key and its data (rounded to 16), a free-slot entry, and an
    // eighth of a 64-byte bucket in a power-of-two array.
    uint64_t buckets = 1;
    while (buckets * 8 < slots_for(capacity))
        buckets *= 2;
    const uint64_t entries = slots_for(capacity);
    return 2 * buckets * 64 + entries * (32 + 64 + 2 * 8);
}

uint64_t FlowTable::bytes_for(uint32_t capacity, uint32_t keys_per_flow) noexcept {
    return KeyTable::bytes_for(capacity * keys_per_flow) +
           uint64_t{capacity} * (sizeof(Flow) + sizeof(Forwarding) + sizeof(SeqCell<FlowInfo>) +
                                 sizeof(SeqCell<FlowReply>) + sizeof(Tick) + 2 * sizeof(FlowIndex) +
                                 sizeof(EvictionLink));
}

}  // namespace rampart
