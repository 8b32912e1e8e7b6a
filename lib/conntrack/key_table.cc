#include "conntrack/key_table.h"

#include <algorithm>

#include <rte_hash.h>

#include "base/assert.h"

namespace rampart {
namespace {

rte_hash* create_hash(const std::string& name, uint32_t key_bytes, uint32_t capacity, int node) {
    rte_hash_parameters parameters{};
    parameters.name = name.c_str();
    parameters.entries = KeyTable::slots_for(capacity);
    parameters.key_len = key_bytes;
    parameters.socket_id = node;
    return rte_hash_create(&parameters);
}

void* to_data(TableEntry entry) noexcept {
    return reinterpret_cast<void*>(static_cast<uintptr_t>(entry.raw()));
}

TableEntry to_entry(const void* data) noexcept {
    return TableEntry::from_raw(reinterpret_cast<uintptr_t>(data));
}

}  // namespace

// A key with its hash.
struct KeyTable::Key {
    Key(const Tuple& tuple, const KeyedHash& keyed) noexcept : family(tuple.family) {
        swapped = (family == Family::Ipv4 ? make_key(tuple, key4) : make_key(tuple, key6)).swapped;
        rehash(keyed);
    }
    Key(const Packet& packet, uint32_t packet_hash) noexcept
        : family(packet.family), swapped(packet.swapped), hash(packet_hash) {
        if (family == Family::Ipv4)
            key4 = packet.key4;
        else
            key6 = packet.key6;
    }
    const void* bytes() const noexcept {
        return family == Family::Ipv4 ? static_cast<const void*>(&key4) : &key6;
    }
    void take_other_form(const KeyedHash& keyed) noexcept {
        (family == Family::Ipv4 ? key4.pad : key6.pad[0]) = 1;
        rehash(keyed);
    }
    void rehash(const KeyedHash& keyed) noexcept {
        hash = family == Family::Ipv4 ? keyed.hash(key4) : keyed.hash(key6);
    }

    Family family;
    bool swapped;
    uint32_t hash = 0;
    FlowKey4 key4;
    FlowKey6 key6;
};

bool KeyTable::create(const std::string& name, uint32_t capacity, int numa_node,
                      const KeyedHash& hash) {
    hash_ = hash;
    hash4_ = create_hash(name + "-4", sizeof(FlowKey4), capacity, numa_node);
    hash6_ = create_hash(name + "-6", sizeof(FlowKey6), capacity, numa_node);
    return hash4_ != nullptr && hash6_ != nullptr;
}

KeyTable::~KeyTable() {
    rte_hash_free(hash4_);
    rte_hash_free(hash6_);
}

void KeyTable::hash(KeyBatch& batch, Family family) const noexcept {
    if (family == Family::Ipv4)
        hash_.hash4(batch.key.data(), batch.hash.data(), batch.count);
    else
        hash_.hash6(batch.key.data(), batch.hash.data(), batch.count);
}

uint32_t KeyTable::hash_of(const Tuple& tuple) const noexcept {
    return Key(tuple, hash_).hash;
}

void KeyTable::find(const KeyBatch& batch, Family family, TableEntry* entries) const noexcept {
    void* data[KeyBatch::kCapacity];
    hash_sig_t signatures[KeyBatch::kCapacity];
    uint64_t hits = 0;
    std::copy_n(batch.hash.begin(), batch.count, signatures);
    rte_hash_lookup_with_hash_bulk_data(hash_of(family), const_cast<const void**>(batch.key.data()),
                                        signatures, batch.count, &hits, data);
    for (uint32_t i = 0; i < batch.count; ++i)
        entries[i] = hits >> i & 1 ? to_entry(data[i]) : TableEntry{};
}

TableEntry KeyTable::look_up(const Key& key) const noexcept {
    void* data = nullptr;
    const int found =
        rte_hash_lookup_with_hash_data(hash_of(key.family), key.bytes(), key.hash, &data);
    return found < 0 ? TableEntry{} : to_entry(data);
}

TableEntry KeyTable::find_other_form(const Packet& packet) const noexcept {
    if (other_forms_ == 0) return {};
    Key key(packet, 0);
    key.take_other_form(hash_);
    const TableEntry entry = look_up(key);
    return entry.covers(order_of(packet)) ? entry : TableEntry{};
}

TableEntry KeyTable::find(const Packet& packet, uint32_t hash) const noexcept {
    return settle(look_up(Key(packet, hash)), packet);
}

TableEntry KeyTable::find(const Tuple& tuple) const noexcept {
    Key key(tuple, hash_);
    const TableEntry entry = look_up(key);
    if (!entry.is_none() && entry.covers(key.swapped)) return entry;
    if (other_forms_ == 0) return {};
    key.take_other_form(hash_);
    const TableEntry other = look_up(key);
    return other.covers(key.swapped) ? other : TableEntry{};
}

bool KeyTable::has_other_form(Key key) const noexcept {
    if (other_forms_ == 0) return false;
    key.take_other_form(hash_);
    return !look_up(key).is_none();
}

bool KeyTable::add(const Key& key, TableEntry entry) noexcept {
    return rte_hash_add_key_with_hash_data(hash_of(key.family), key.bytes(), key.hash,
                                           to_data(entry)) == 0;
}

bool KeyTable::insert(const Packet& packet, uint32_t hash, TableEntry entry) noexcept {
    const Key key(packet, hash);
    // Who did not find a plain entry may have overlooked one for the other order.
    if (one_ways_ != 0 && !look_up(key).is_none()) return false;
    return !has_other_form(key) && add(key, entry);
}

bool KeyTable::insert_one_way(const Tuple& tuple,
                              TableEntry (*make)(uint32_t what, bool swapped) noexcept,
                              uint32_t what) noexcept {
    Key key(tuple, hash_);
    const TableEntry entry = make(what, key.swapped);
    const TableEntry present = look_up(key);
    if (!present.is_none()) {
        if (present.covers(key.swapped)) return false;
        key.take_other_form(hash_);
        if (!look_up(key).is_none()) return false;
    } else if (has_other_form(key)) {
        // Its first form was another flow's, which has gone since.
        Key other = key;
        other.take_other_form(hash_);
        if (look_up(other).covers(key.swapped)) return false;
    }
    if (!add(key, entry)) return false;
    ++one_ways_;
    other_forms_ += !present.is_none();
    return true;
}

void KeyTable::remove_one_way(const Tuple& tuple,
                              TableEntry (*make)(uint32_t what, bool swapped) noexcept,
                              uint32_t what) noexcept {
    Key key(tuple, hash_);
    const TableEntry entry = make(what, key.swapped);
    if (look_up(key).raw() != entry.raw()) {
        if (other_forms_ == 0) return;
        key.take_other_form(hash_);
        if (look_up(key).raw() != entry.raw()) return;
        --other_forms_;
    }
    rte_hash_del_key_with_hash(hash_of(key.family), key.bytes(), key.hash);
    --one_ways_;
}

void KeyTable::remove_plain(const Tuple& tuple) noexcept {
    const Key key(tuple, hash_);
    const int removed = rte_hash_del_key_with_hash(hash_of(key.family), key.bytes(), key.hash);
    RAMPART_ASSERT(removed >= 0);
}

}  // namespace rampart
