// BucketIndex: IPv4 flow keys -> TableEntry, in one cache line per look-up most of the time.
//
//   bucket (one line)   3 keys | 3 entries | how many keys of this home are elsewhere
//
// A key has two buckets, its home and another one. It lies in its home when there is room, else in
// the other one, else one key of either makes room by moving to its own other bucket, else it goes
// to a small overflow table. So an insertion looks at no more than eight lines, however full the
// table is, and a key that is not there is missed in one line unless its home has displaced keys.
//
// Beside rte_hash, which KeyTable can use instead: that one keeps signatures, keys and data in
// three places and moves any number of keys for an insertion (docs/performance.md has both
// measured). Allocated at start. Owner: one worker, which alone calls it. Sources: Pagh and Rodler,
// "Cuckoo hashing", 2004; Le Scouarnec, "Cuckoo++ hash tables", 2018 (that most look-ups need not
// see the second bucket).
#pragma once

#include <cstdint>

#include "conntrack/keyed_hash.h"
#include "conntrack/table_entry.h"
#include "packet/tuple.h"

namespace rampart {

class BucketIndex {
  public:
    BucketIndex() = default;
    ~BucketIndex();
    BucketIndex(const BucketIndex&) = delete;
    BucketIndex& operator=(const BucketIndex&) = delete;

    // Room for `capacity` keys; false: no memory.
    bool create(uint32_t capacity, int numa_node, const KeyedHash& hash);
    static uint64_t bytes_for(uint32_t capacity) noexcept;  // table_bytes.cc

    // None, when it is not there. `hash` is always that of `hash` in create().
    TableEntry look_up(const FlowKey4& key, uint32_t hash) const noexcept;
    // Replaces the entry of a key that is there. False: no room.
    bool add(const FlowKey4& key, uint32_t hash, TableEntry entry) noexcept;
    // False: it was not there.
    bool remove(const FlowKey4& key, uint32_t hash) noexcept;

    void prefetch(uint32_t hash) const noexcept { __builtin_prefetch(&buckets_[home_of(hash)], 1); }
    // Before add(), of a key whose home is in the cache: where else it may go.
    void prefetch_room(uint32_t hash) const noexcept {
        if (buckets_[home_of(hash)].free_way() == kWays)
            __builtin_prefetch(&buckets_[other_of(hash)], 1);
    }
    // All of a batch, in any order: calls plain(at, FlowRef) for plain entries of flows, and
    // other(at, TableEntry) for whatever else there is, and nothing.
    template <typename Plain, typename Other>
    void find(const void* const* keys, const uint32_t* hashes, uint32_t count, Plain plain,
              Other other) const noexcept {
        uint32_t late_at[kMaxBatch];
        const Bucket* late_bucket[kMaxBatch];
        uint32_t late = 0;
        for (uint32_t at = 0; at < count && at < kPrefetchAhead; ++at)
            __builtin_prefetch(&buckets_[home_of(hashes[at])]);
        for (uint32_t at = 0; at < count; ++at) {
            if (at + kPrefetchAhead < count)
                __builtin_prefetch(&buckets_[home_of(hashes[at + kPrefetchAhead])]);
            const Bucket& bucket = buckets_[home_of(hashes[at])];
            const uint32_t word = bucket.find(*static_cast<const FlowKey4*>(keys[at]));
            if (word < kEmpty) [[likely]] {
                plain(at, FlowRef::from_raw(word));
            } else if (word == kEmpty && bucket.has_displaced()) {
                late_bucket[late] = &buckets_[other_of(hashes[at])];
                __builtin_prefetch(late_bucket[late]);
                late_at[late++] = at;
            } else {
                other(at, entry_of(word));
            }
        }
        for (uint32_t n = 0; n < late; ++n) {
            const uint32_t at = late_at[n];
            const FlowKey4& key = *static_cast<const FlowKey4*>(keys[at]);
            uint32_t word = late_bucket[n]->find(key);
            if (word == kEmpty && buckets_[home_of(hashes[at])].in_overflow != 0)
                word = find_overflowed(key, hashes[at]);
            if (word < kEmpty)
                plain(at, FlowRef::from_raw(word));
            else
                other(at, entry_of(word));
        }
    }

    // Keys in the overflow table.
    uint32_t overflowed() const noexcept { return overflow_count_; }

  private:
    static constexpr uint32_t kWays = 3;
    static constexpr uint32_t kMaxBatch = 64;
    static constexpr uint32_t kPrefetchAhead = 12;
    // A word is the low half of a TableEntry with its flags in the highest four bits.
    static constexpr uint32_t kFlagShift = 28;
    static constexpr uint32_t kEmpty = (1u << kFlagShift) - 1;

    struct alignas(64) Bucket {
        FlowKey4 key[kWays];
        uint32_t word[kWays];
        uint16_t in_other;  // keys whose home is here, by where they are
        uint16_t in_overflow;

        // kEmpty: not there. An empty slot has a key that no packet has.
        uint32_t find(const FlowKey4& wanted) const noexcept {
            uint32_t found = kEmpty;
            for (uint32_t way = 0; way < kWays; ++way)
                found = is_equal(key[way], wanted) ? word[way] : found;
            return found;
        }
        bool has_displaced() const noexcept { return (in_other | in_overflow) != 0; }
        // kWays: no such slot.
        uint32_t way_of(const FlowKey4& wanted) const noexcept;
        uint32_t free_way() const noexcept;
        void put(uint32_t way, const FlowKey4& what, uint32_t value) noexcept {
            key[way] = what;
            word[way] = value;
        }
    };
    static_assert(sizeof(Bucket) == 64);

    struct Overflowed {
        FlowKey4 key;
        uint32_t hash;
        uint32_t word;
    };

    static bool is_equal(const FlowKey4& a, const FlowKey4& b) noexcept {
        const auto* first = reinterpret_cast<const uint8_t*>(&a);
        const auto* second = reinterpret_cast<const uint8_t*>(&b);
        return ((load<uint64_t>(first) ^ load<uint64_t>(second)) |
                (load<uint64_t>(first + 8) ^ load<uint64_t>(second + 8))) == 0;
    }
    static constexpr uint32_t word_of(TableEntry entry) noexcept {
        return (static_cast<uint32_t>(entry.raw()) & kEmpty) |
               static_cast<uint32_t>(entry.raw() >> 32) << kFlagShift;
    }
    static constexpr TableEntry entry_of(uint32_t word) noexcept {
        return word == kEmpty
                   ? TableEntry{}
                   : TableEntry::from_raw((word & kEmpty) | uint64_t{word >> kFlagShift} << 32);
    }

    static uint32_t buckets_for(uint32_t capacity) noexcept;
    static uint32_t overflow_slots_for(uint32_t capacity) noexcept;

    uint32_t scaled(uint32_t hash) const noexcept {
        return static_cast<uint32_t>(uint64_t{hash} * bucket_count_ >> 32);
    }
    uint32_t home_of(uint32_t hash) const noexcept { return scaled(hash); }
    // Keys that share a home are spread over all other buckets by the low bits of their hashes.
    uint32_t other_of(uint32_t hash) const noexcept {
        uint32_t mixed = (hash ^ hash >> 15) * 0x85ebca6bu;
        mixed = (mixed ^ mixed >> 13) * 0xc2b2ae35u;
        const uint32_t other = scaled(mixed ^ mixed >> 16);
        const uint32_t home = home_of(hash);
        return other != home ? other : (home + 1 == bucket_count_ ? 0 : home + 1);
    }

    bool make_room(uint32_t in, uint32_t& way) noexcept;
    bool add_overflowed(const FlowKey4& key, uint32_t hash, uint32_t word) noexcept;
    uint32_t slot_of_overflowed(const FlowKey4& key, uint32_t hash) const noexcept;
    uint32_t find_overflowed(const FlowKey4& key, uint32_t hash) const noexcept;
    void remove_overflowed(uint32_t slot) noexcept;

    KeyedHash hash_ = KeyedHash::from_seed(0);
    Bucket* buckets_ = nullptr;
    uint32_t bucket_count_ = 0;
    Overflowed* overflow_ = nullptr;  // open addressing, linear probing
    uint32_t overflow_mask_ = 0;
    uint32_t overflow_count_ = 0;
};

}  // namespace rampart
