#include "conntrack/key_table.h"

#include <cstring>

#include "base/assert.h"
#include "packet/icmp_types.h"

namespace rampart {
namespace {

// What stands among the tags for a foreign entry: its place in the KeyStore instead of the worker.
TableEntry foreign_at(TableEntry entry, uint32_t slot) noexcept {
    return TableEntry::from_raw(entry.raw() >> 32 << 32 | slot);
}

uint32_t foreign_slot(TableEntry stored) noexcept {
    return static_cast<uint32_t>(stored.raw());
}

struct OneWay {
    explicit OneWay(TableEntry stored) noexcept
        : swapped(!stored.covers(false)),
          is_reply(stored.toward(swapped).direction() == Direction::Reply) {}
    bool swapped;   // the order of the keys of the packets that it is for
    bool is_reply;  // their direction
};

}  // namespace

// A key with its hash.
struct KeyTable::Key {
    // Without its hash.
    explicit Key(const Tuple& tuple) noexcept : family(tuple.family) {
        swapped = (family == Family::Ipv4 ? make_key(tuple, key4) : make_key(tuple, key6)).swapped;
    }
    Key(const Tuple& tuple, const KeyedHash& keyed) noexcept : Key(tuple) { rehash(keyed); }
    Key(const Packet& packet, uint32_t packet_hash) noexcept
        : family(packet.family), swapped(packet.swapped), hash(packet_hash) {
        if (family == Family::Ipv4)
            key4 = packet.key4;
        else
            key6 = packet.key6;
    }
    Key(const void* key, Family of, uint32_t key_hash) noexcept
        : family(of), swapped(false), hash(key_hash) {
        if (family == Family::Ipv4)
            key4 = *static_cast<const FlowKey4*>(key);
        else
            key6 = *static_cast<const FlowKey6*>(key);
    }
    const void* bytes() const noexcept {
        return family == Family::Ipv4 ? static_cast<const void*>(&key4) : &key6;
    }
    void take_other_form(const KeyedHash& keyed) noexcept {
        (family == Family::Ipv4 ? key4.pad : key6.pad[0]) = 1;
        rehash(keyed);
    }
    // Whether it is the key, in whatever form, that has these ends in this order.
    bool is_of_ends(const Tuple& tuple, bool is_swapped) const noexcept {
        const AddressBytes& low = is_swapped ? tuple.dst : tuple.src;
        const AddressBytes& high = is_swapped ? tuple.src : tuple.dst;
        const be16 low_port = is_swapped ? tuple.dst_port : tuple.src_port;
        const be16 high_port = is_swapped ? tuple.src_port : tuple.dst_port;
        if (tuple.family != family) return false;
        if (family == Family::Ipv4)
            return key4.low_address == load<be32>(low.data()) &&
                   key4.high_address == load<be32>(high.data()) && key4.low_port == low_port &&
                   key4.high_port == high_port && key4.protocol == tuple.protocol &&
                   key4.zone == tuple.zone;
        return key6.low_address == low && key6.high_address == high && key6.low_port == low_port &&
               key6.high_port == high_port && key6.protocol == tuple.protocol &&
               key6.zone == tuple.zone;
    }
    // Whether it is this key, which has its first form, in whatever form.
    bool is_form_of(const Key& first) const noexcept {
        if (first.family != family) return false;
        if (family == Family::Ipv4) {
            FlowKey4 plain = key4;
            plain.pad = 0;
            return is_equal(first.key4, plain);
        }
        FlowKey6 plain = key6;
        plain.pad[0] = 0;
        return std::memcmp(&first.key6, &plain, sizeof(plain)) == 0;
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

bool KeyTable::create(const Options& options, const FlowArrays& arrays) {
    hash_ = options.hash;
    arrays_ = &arrays;
    has_tags_ = options.kind == KeyIndexKind::Buckets;
    if (has_tags_)
        return tags_.create(options.capacity, options.numa_node) &&
               foreign_.create(options.foreign_keys, options.numa_node);
    return hash4_.create(options.name + "-4", sizeof(FlowKey4), options.capacity,
                         options.numa_node) &&
           hash6_.create(options.name + "-6", sizeof(FlowKey6), options.capacity,
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

uint32_t KeyTable::hash_of(FlowIndex index) const noexcept {
    const StoredKey& key = arrays_->flows[index].key;
    return key.is_ipv6() ? hash_.hash(arrays_->key6(index)) : hash_.hash(key.key4());
}

void KeyTable::prefetch_foreign(uint32_t word) const noexcept {
    foreign_.prefetch(foreign_slot(TagIndex::entry_of(word)));
}

// The form of the key decides about the hash alone: an entry under the one form is taken for one
// under the other if they look alike there, which is once in some billion such pairs, and costs a
// translated flow that could have begun.
bool KeyTable::is_of(TableEntry stored, const Key& key) const noexcept {
    if (stored.is_foreign()) return foreign_.is_key(foreign_slot(stored), key.family, key.bytes());
    const FlowIndex index = stored.index();
    const auto [swapped, is_reply] = OneWay(stored);
    if (stored.is_plain() || !is_reply) return key.is_form_of(key_of(index));
    const auto tuple = arrays_->reply[index].own_part<Tuple>();
    return is_icmp(tuple.protocol) ? key.is_form_of(Key(tuple)) : key.is_of_ends(tuple, swapped);
}

KeyTable::Key KeyTable::key_of(FlowIndex index) const noexcept {
    const StoredKey& stored = arrays_->flows[index].key;
    if (stored.is_ipv6()) {
        const FlowKey6 key = arrays_->key6(index);
        return Key(&key, Family::Ipv6, 0);
    }
    const FlowKey4 key = stored.key4();
    return Key(&key, Family::Ipv4, 0);
}

TableEntry KeyTable::look_up_stored(const Key& key) const noexcept {
    return tags_.look_up(key.hash, [&](TableEntry stored) { return is_of(stored, key); });
}

TableEntry KeyTable::named(TableEntry stored) const noexcept {
    return stored.is_foreign() ? foreign_.entry(foreign_slot(stored)) : stored;
}

TableEntry KeyTable::verify(const KeyBatch& batch, uint32_t at, Family family,
                            uint32_t word) const noexcept {
    const TableEntry stored = TagIndex::entry_of(word);
    const Key key(batch.key[at], family, batch.hash[at]);
    return named(is_of(stored, key) ? stored : look_up_stored(key));
}

TableEntry KeyTable::look_up(const Key& key) const noexcept {
    return has_tags_ ? named(look_up_stored(key))
                     : rte_hash_of(key.family).look_up(key.bytes(), key.hash);
}

bool KeyTable::add(const Key& key, TableEntry entry) noexcept {
    if (!has_tags_) return rte_hash_of(key.family).add(key.bytes(), key.hash, entry);
    if (!entry.is_foreign()) return tags_.add(key.hash, entry);
    const uint32_t slot = foreign_.add(key.family, key.bytes(), entry);
    if (slot == KeyStore::kNoSlot) return false;
    if (tags_.add(key.hash, foreign_at(entry, slot))) return true;
    foreign_.remove(slot);
    return false;
}

bool KeyTable::remove(const Key& key) noexcept {
    if (!has_tags_) return rte_hash_of(key.family).remove(key.bytes(), key.hash);
    const TableEntry stored = look_up_stored(key);
    if (stored.is_none()) return false;
    if (stored.is_foreign()) foreign_.remove(foreign_slot(stored));
    return tags_.remove(key.hash, stored);
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

bool KeyTable::insert_among_others(const Packet& packet, uint32_t hash, TableEntry entry) noexcept {
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

void KeyTable::remove_plain(uint32_t hash, FlowRef ref) noexcept {
    if (has_tags_) {
        const bool was_there = tags_.remove(hash, TableEntry::plain(ref));
        return RAMPART_ASSERT(was_there);
    }
    Key key = key_of(ref.index());
    key.hash = hash;
    const bool was_there = remove(key);
    RAMPART_ASSERT(was_there);
}

}  // namespace rampart
