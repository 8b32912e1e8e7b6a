#include "conntrack/rte_hash_index.h"

#include <algorithm>

#include <rte_hash.h>

namespace rampart {
namespace {

constexpr uint32_t kMaxBatch = 64;

void* to_data(TableEntry entry) noexcept {
    return reinterpret_cast<void*>(static_cast<uintptr_t>(entry.raw()));
}

TableEntry to_entry(const void* data) noexcept {
    return TableEntry::from_raw(reinterpret_cast<uintptr_t>(data));
}

}  // namespace

bool RteHashIndex::create(const std::string& name, uint32_t key_bytes, uint32_t capacity,
                          int numa_node) {
    rte_hash_parameters parameters{};
    parameters.name = name.c_str();
    parameters.entries = slots_for(capacity);
    parameters.key_len = key_bytes;
    parameters.socket_id = numa_node;
    hash_ = rte_hash_create(&parameters);
    return hash_ != nullptr;
}

RteHashIndex::~RteHashIndex() {
    rte_hash_free(hash_);
}

void RteHashIndex::find(const void* const* keys, const uint32_t* hashes, uint32_t count,
                        TableEntry* entries) const noexcept {
    void* data[kMaxBatch];
    hash_sig_t signatures[kMaxBatch];
    uint64_t hits = 0;
    std::copy_n(hashes, count, signatures);
    rte_hash_lookup_with_hash_bulk_data(hash_, const_cast<const void**>(keys), signatures, count,
                                        &hits, data);
    for (uint32_t i = 0; i < count; ++i)
        entries[i] = hits >> i & 1 ? to_entry(data[i]) : TableEntry{};
}

TableEntry RteHashIndex::look_up(const void* key, uint32_t hash) const noexcept {
    void* data = nullptr;
    return rte_hash_lookup_with_hash_data(hash_, key, hash, &data) < 0 ? TableEntry{}
                                                                       : to_entry(data);
}

bool RteHashIndex::add(const void* key, uint32_t hash, TableEntry entry) noexcept {
    return rte_hash_add_key_with_hash_data(hash_, key, hash, to_data(entry)) == 0;
}

bool RteHashIndex::remove(const void* key, uint32_t hash) noexcept {
    return rte_hash_del_key_with_hash(hash_, key, hash) >= 0;
}

}  // namespace rampart
