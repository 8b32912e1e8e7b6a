#include "conntrack/key_store.h"

#include <cstring>

#include <rte_malloc.h>

namespace rampart {
namespace {

size_t bytes_of(Family family) noexcept {
    return family == Family::Ipv4 ? sizeof(FlowKey4) : sizeof(FlowKey6);
}

}  // namespace

bool KeyStore::create(uint32_t capacity, int numa_node) {
    if (capacity == 0) return true;
    keys_ = static_cast<Written*>(rte_zmalloc_socket(
        "foreign-keys", uint64_t{capacity} * sizeof(Written), alignof(Written), numa_node));
    if (keys_ == nullptr) return false;
    for (uint32_t slot = 0; slot < capacity; ++slot)
        keys_[slot].next_free = slot + 1 == capacity ? kNoSlot : slot + 1;
    first_free_ = 0;
    return true;
}

KeyStore::~KeyStore() {
    rte_free(keys_);
}

uint32_t KeyStore::add(Family family, const void* key, TableEntry entry) noexcept {
    const uint32_t slot = first_free_;
    if (slot == kNoSlot) return kNoSlot;
    Written& written = keys_[slot];
    first_free_ = written.next_free;
    std::memcpy(static_cast<void*>(&written.key6), key, bytes_of(family));
    written.entry = entry;
    written.family = family;
    return slot;
}

void KeyStore::remove(uint32_t slot) noexcept {
    keys_[slot].family = Family::None;
    keys_[slot].next_free = first_free_;
    first_free_ = slot;
}

bool KeyStore::is_key(uint32_t slot, Family family, const void* key) const noexcept {
    const Written& written = keys_[slot];
    return written.family == family && std::memcmp(&written.key6, key, bytes_of(family)) == 0;
}

}  // namespace rampart
