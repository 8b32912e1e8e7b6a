#include "conntrack/key_table.h"

#include "base/assert.h"

namespace rampart {

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

bool KeyTable::create(const Options& options) {
    hash_ = options.hash;
    has_buckets_ = options.kind == KeyIndexKind::Buckets;
    const bool has4 = has_buckets_
                          ? buckets4_.create(options.capacity, options.numa_node, options.hash)
                          : hash4_.create(options.name + "-4", sizeof(FlowKey4), options.capacity,
                                          options.numa_node);
    return has4 && hash6_.create(options.name + "-6", sizeof(FlowKey6), options.capacity,
                                 options.numa_node);
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

TableEntry KeyTable::look_up(const Key& key) const noexcept {
    if (key.family == Family::Ipv4 && has_buckets_) return buckets4_.look_up(key.key4, key.hash);
    return (key.family == Family::Ipv4 ? hash4_ : hash6_).look_up(key.bytes(), key.hash);
}

bool KeyTable::add(const Key& key, TableEntry entry) noexcept {
    if (key.family == Family::Ipv4 && has_buckets_) return buckets4_.add(key.key4, key.hash, entry);
    return (key.family == Family::Ipv4 ? hash4_ : hash6_).add(key.bytes(), key.hash, entry);
}

bool KeyTable::remove(const Key& key) noexcept {
    if (key.family == Family::Ipv4 && has_buckets_) return buckets4_.remove(key.key4, key.hash);
    return (key.family == Family::Ipv4 ? hash4_ : hash6_).remove(key.bytes(), key.hash);
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
    remove(key);
    --one_ways_;
}

void KeyTable::remove_plain(const Tuple& tuple) noexcept {
    const Key key(tuple, hash_);
    const bool was_there = remove(key);
    RAMPART_ASSERT(was_there);
}

void KeyTable::prefetch_plain(const Tuple& tuple) const noexcept {
    if (tuple.family == Family::Ipv4 && has_buckets_) buckets4_.prefetch(hash_of(tuple));
}

}  // namespace rampart
