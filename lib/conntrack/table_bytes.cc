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
constexpr uint32_t kBucketLoadPercent = 80;
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

uint32_t TagIndex::buckets_for(uint32_t capacity) noexcept {
    return static_cast<uint32_t>(uint64_t{capacity} * 100 / (kBucketLoadPercent * kWays)) + 2;
}

uint32_t TagIndex::overflow_slots_for(uint32_t capacity) noexcept {
    return std::bit_ceil(std::max(capacity / kOverflowShare, kMinOverflow));
}

uint64_t TagIndex::bytes_for(uint32_t capacity) noexcept {
    return uint64_t{buckets_for(capacity)} * sizeof(Bucket) +
           uint64_t{overflow_slots_for(capacity)} * sizeof(Overflowed);
}

uint64_t KeyStore::bytes_for(uint32_t capacity) noexcept {
    return uint64_t{capacity} * sizeof(Written);
}

uint64_t KeyTable::bytes_for(const Options& options) noexcept {
    if (options.kind == KeyIndexKind::Buckets)
        return TagIndex::bytes_for(options.capacity) + KeyStore::bytes_for(options.foreign_keys);
    return RteHashIndex::bytes_for(sizeof(FlowKey4), options.capacity) +
           RteHashIndex::bytes_for(sizeof(FlowKey6), options.capacity);
}

uint64_t FlowArrays::bytes_for(uint32_t slots, Parts parts) noexcept {
    return uint64_t{slots} * (sizeof(Flow) + sizeof(FlowRecord) + sizeof(Tick) +
                              (parts.ipv6 ? sizeof(StoredAddresses) : 0) +
                              (parts.accounting ? sizeof(FlowAccounting) : 0) +
                              (parts.ways ? sizeof(Forwarding) + sizeof(SeqCell<FlowReply>) : 0));
}

uint64_t FlowTable::bytes_for(const Options& options) noexcept {
    return KeyTable::bytes_for(key_options(options)) +
           FlowArrays::bytes_for(options.capacity, options.parts()) +
           uint64_t{options.capacity} * sizeof(FlowIndex);
}

KeyTable::Options FlowTable::key_options(const Options& options) {
    return {.name = options.name,
            .capacity = options.capacity * options.keys_per_flow + options.foreign_keys,
            .foreign_keys = options.foreign_keys,
            .numa_node = options.numa_node,
            .hash = options.hash,
            .kind = options.index};
}

}  // namespace rampart
