// What flow tables take, apart from what makes them: `rampartctl doctor` asks without DPDK.
#include <algorithm>
#include <bit>

#include "conntrack/flow_table.h"

namespace rampart {
namespace {

// rte_hash inserts by moving keys around, which gets slow and fails near full; it is given enough
// slots to stay below this load when the flow table is full.
constexpr uint32_t kMaxLoadPercent = 85;
constexpr uint32_t kMinHashEntries = 64;
// Of the buckets.
constexpr uint32_t kBucketLoadPercent = 70;
constexpr uint32_t kOverflowShare = 256;
constexpr uint32_t kMinOverflow = 64;

}  // namespace

uint32_t RteHashIndex::slots_for(uint32_t capacity) noexcept {
    const uint64_t entries = uint64_t{capacity} * 100 / kMaxLoadPercent + 8;
    return static_cast<uint32_t>(std::max<uint64_t>(entries, kMinHashEntries));
}

uint64_t RteHashIndex::bytes_for(uint32_t key_bytes, uint32_t capacity) noexcept {
    // Per key, rte_hash keeps the key and its data (rounded to 16), a free-slot entry, and an
    // eighth of a 64-byte bucket in a power-of-two array.
    uint64_t buckets = 1;
    while (buckets * 8 < slots_for(capacity))
        buckets *= 2;
    return buckets * 64 + uint64_t{slots_for(capacity)} * (key_bytes + 16 + 8);
}

uint32_t BucketIndex::buckets_for(uint32_t capacity) noexcept {
    return static_cast<uint32_t>(uint64_t{capacity} * 100 / (kBucketLoadPercent * kWays)) + 2;
}

uint32_t BucketIndex::overflow_slots_for(uint32_t capacity) noexcept {
    return std::bit_ceil(std::max(capacity / kOverflowShare, kMinOverflow));
}

uint64_t BucketIndex::bytes_for(uint32_t capacity) noexcept {
    return uint64_t{buckets_for(capacity)} * sizeof(Bucket) +
           uint64_t{overflow_slots_for(capacity)} * sizeof(Overflowed);
}

uint64_t KeyTable::bytes_for(uint32_t capacity, KeyIndexKind kind) noexcept {
    return (kind == KeyIndexKind::Buckets ? BucketIndex::bytes_for(capacity)
                                          : RteHashIndex::bytes_for(sizeof(FlowKey4), capacity)) +
           RteHashIndex::bytes_for(sizeof(FlowKey6), capacity);
}

uint64_t FlowTable::bytes_for(uint32_t capacity, uint32_t keys_per_flow,
                              KeyIndexKind index) noexcept {
    return KeyTable::bytes_for(capacity * keys_per_flow, index) +
           uint64_t{capacity} * (sizeof(Flow) + sizeof(Forwarding) + sizeof(SeqCell<FlowInfo>) +
                                 sizeof(SeqCell<FlowReply>) + sizeof(Tick) + 2 * sizeof(FlowIndex) +
                                 sizeof(EvictionLink));
}

}  // namespace rampart
