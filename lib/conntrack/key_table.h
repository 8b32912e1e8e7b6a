// KeyTable: flow keys -> TableEntry, in one index per address family.
//
// One key per flow: both directions normalise to it (tuple.h). A translated flow has two, one per
// direction (table_entry.h); where that one is taken in the other order, it is kept under the key's
// other form, which no packet has by itself. Allocated at start. Owner: one worker, which alone
// calls it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "conntrack/bucket_index.h"
#include "conntrack/keyed_hash.h"
#include "conntrack/rte_hash_index.h"
#include "conntrack/settings.h"
#include "conntrack/table_entry.h"
#include "packet/packet.h"

namespace rampart {

// The keys of one family in a burst, in the order of arrival.
struct KeyBatch {
    static constexpr uint32_t kCapacity = 64;

    uint32_t count = 0;
    std::array<const void*, kCapacity> key;   // FlowKey4 or FlowKey6
    std::array<uint32_t, kCapacity> hash;     // set by KeyTable::hash
    std::array<uint8_t, kCapacity> position;  // of the packet in its burst

    void add(uint32_t at, const Packet& packet) noexcept {
        key[count] = &packet.key4;  // both families' keys begin there
        position[count++] = static_cast<uint8_t>(at);
    }
    // Those stay for which keep(position, hash) is true.
    template <typename Keep>
    void keep_if(Keep keep) noexcept {
        uint32_t kept = 0;
        for (uint32_t at = 0; at < count; ++at) {
            if (!keep(uint32_t{position[at]}, hash[at])) continue;
            key[kept] = key[at];
            hash[kept] = hash[at];
            position[kept++] = position[at];
        }
        count = kept;
    }
};

class KeyTable {
  public:
    KeyTable() = default;
    KeyTable(const KeyTable&) = delete;
    KeyTable& operator=(const KeyTable&) = delete;

    struct Options {
        std::string name;  // unique in the process
        uint32_t capacity = 0;
        int numa_node = -1;
        KeyedHash hash = KeyedHash::from_seed(0);
        KeyIndexKind kind = KeyIndexKind::Buckets;  // of IPv4; IPv6 is always in an RteHashIndex
    };
    // Room for `capacity` keys of each family; false: no memory.
    bool create(const Options& options);
    static uint64_t bytes_for(uint32_t capacity, KeyIndexKind kind) noexcept;

    // Fills batch.hash.
    void hash(KeyBatch& batch, Family family) const noexcept;
    // The keyed hash of a tuple's key: what steering goes by.
    uint32_t hash_of(const Tuple& tuple) const noexcept;

    // For each of a batch, in any order: plain(at, FlowRef) where there is a plain entry, of a
    // packet whose key is not swapped; other(at, TableEntry) for everything else, and nothing.
    // settle() says whether such an entry is the packet's.
    template <typename Plain, typename Other>
    void find(const KeyBatch& batch, Family family, Plain plain, Other other) const noexcept {
        if (family == Family::Ipv4 && has_buckets_) [[likely]]
            return buckets4_.find(batch.key.data(), batch.hash.data(), batch.count, plain, other);
        TableEntry entries[KeyBatch::kCapacity];
        (family == Family::Ipv4 ? hash4_ : hash6_)
            .find(batch.key.data(), batch.hash.data(), batch.count, entries);
        for (uint32_t at = 0; at < batch.count; ++at) {
            if (entries[at].is_plain() && !entries[at].is_none()) [[likely]]
                plain(at, FlowRef::from_raw(static_cast<uint32_t>(entries[at].raw())));
            else
                other(at, entries[at]);
        }
    }
    TableEntry settle(TableEntry found, const Packet& packet) const noexcept {
        if (found.is_plain() && (!found.is_none() || other_forms_ == 0)) [[likely]]
            return found;
        return found.covers(order_of(packet)) && !found.is_none() ? found : find_other_form(packet);
    }
    // An error belongs to the flow that answers to the packet it quotes (netfilter inverts that
    // packet's tuple): the key is the same, its order the other.
    static bool order_of(const Packet& packet) noexcept {
        return packet.swapped != packet.is_icmp_error;
    }
    // Settled.
    TableEntry find(const Packet& packet, uint32_t hash) const noexcept;
    TableEntry find(const Tuple& tuple) const noexcept;

    // A plain entry under the packet's key, which find() did not find. False: no room.
    bool insert(const Packet& packet, uint32_t hash, TableEntry entry) noexcept;
    // An entry for one way. `make` gets the order of the key. False: no room, or taken.
    bool insert_one_way(const Tuple& tuple,
                        TableEntry (*make)(uint32_t what, bool swapped) noexcept,
                        uint32_t what) noexcept;
    void remove_one_way(const Tuple& tuple,
                        TableEntry (*make)(uint32_t what, bool swapped) noexcept,
                        uint32_t what) noexcept;
    // Before insert(), of a packet that was looked up a moment ago.
    void prefetch_room(const Packet& packet, uint32_t hash) const noexcept {
        if (packet.family == Family::Ipv4 && has_buckets_) buckets4_.prefetch_room(hash);
    }
    void remove_plain(const Tuple& tuple) noexcept;
    // Where that one is on its way to the cache.
    void prefetch_plain(const Tuple& tuple) const noexcept;

  private:
    struct Key;
    TableEntry look_up(const Key& key) const noexcept;
    TableEntry find_other_form(const Packet& packet) const noexcept;
    bool has_other_form(Key key) const noexcept;
    bool add(const Key& key, TableEntry entry) noexcept;
    bool remove(const Key& key) noexcept;

    KeyedHash hash_ = KeyedHash::from_seed(0);
    bool has_buckets_ = false;
    BucketIndex buckets4_;
    RteHashIndex hash4_;  // unless has_buckets_
    RteHashIndex hash6_;
    uint32_t one_ways_ = 0;     // entries that are not plain
    uint32_t other_forms_ = 0;  // entries under the other form of their key
};

}  // namespace rampart
