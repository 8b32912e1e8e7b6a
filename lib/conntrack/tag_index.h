// TagIndex: hashes of flow keys -> TableEntry, without the keys: those are in the flows themselves.
//
//   bucket (one line)   10 tags (16 bits of the hash) | 10 entries | who lies where
//
// A look-up compares ten tags at once and proposes what has the right one; whoever asks compares
// the key where it is kept, which he reads anyway. A wrong proposal is rare (less than one in a
// hundred look-ups), and then he asks for the others. So an entry takes 8 bytes of whatever family,
// and several entries may stand under one hash.
//
// An entry has two buckets, its home and another one, which follows from the one it is in and its
// tag. It lies in its home when there is room, else in the other one, else one entry of either
// makes room by moving to its own other bucket, else it goes to a small overflow table. An
// insertion looks at no more than two dozen lines, however full the table is, and nearly always at
// one; what is not there is missed in one line unless its home has displaced entries.
//
// Beside rte_hash, which KeyTable can use instead: that one keeps signatures, keys and data in
// three places and moves any number of keys for an insertion (docs/performance.md has both
// measured). Allocated at start. Owner: one worker, which alone calls it. Sources: Pagh and Rodler,
// "Cuckoo hashing", 2004; Fan, Andersen, Kaminsky and Mitzenmacher, "Cuckoo filter", 2014 (the
// other bucket from the tag); Le Scouarnec, "Cuckoo++ hash tables", 2018 (that most look-ups need
// not see the second bucket).
#pragma once

#include <cstdint>

#include "base/prefetch.h"
#include "conntrack/table_entry.h"
#include "conntrack/tag_bucket.h"

namespace rampart {

class TagIndex {
  public:
    TagIndex() = default;
    ~TagIndex();
    TagIndex(const TagIndex&) = delete;
    TagIndex& operator=(const TagIndex&) = delete;

    // Room for `capacity` entries; false: no memory.
    bool create(uint32_t capacity, int numa_node);
    static uint64_t bytes_for(uint32_t capacity) noexcept;  // table_bytes.cc

    // The first entry under this hash, or one that looks alike, for which is_it(entry) is true;
    // none, when there is no such entry.
    template <typename IsIt>
    TableEntry look_up(uint32_t hash, IsIt is_it) const noexcept;
    // False: no room.
    bool add(uint32_t hash, TableEntry entry) noexcept;
    // False: it was not there.
    bool remove(uint32_t hash, TableEntry entry) noexcept;

    void prefetch(uint32_t hash) const noexcept { prefetch_to_write(&buckets_[home_of(hash)]); }
    // Before add(), of a hash whose home is in the cache: where else it may go.
    void prefetch_room(uint32_t hash) const noexcept {
        const uint32_t home = home_of(hash);
        if (buckets_[home].ways_with(kFree) == 0)
            prefetch_to_write(&buckets_[partner_of(home, tag_of(hash))]);
    }

    // What an entry is while it lies here: the low half of a TableEntry with its flags in the
    // highest four bits. Plain entries of flows are below kNothing.
    static constexpr uint32_t kFlagShift = 28;
    static constexpr uint32_t kNothing = (1u << kFlagShift) - 1;
    static constexpr uint32_t word_of(TableEntry entry) noexcept {
        return (static_cast<uint32_t>(entry.raw()) & kNothing) |
               static_cast<uint32_t>(entry.raw() >> 32) << kFlagShift;
    }
    static constexpr TableEntry entry_of(uint32_t word) noexcept {
        return word == kNothing
                   ? TableEntry{}
                   : TableEntry::from_raw((word & kNothing) | uint64_t{word >> kFlagShift} << 32);
    }

    static constexpr bool is_foreign(uint32_t word) noexcept {
        return TableEntry::from_raw(uint64_t{word >> kFlagShift} << 32).is_foreign();
    }
    // Of one that is not foreign.
    static constexpr FlowIndex index_of(uint32_t word) noexcept { return (word & kNothing) >> 1; }

    // For each of up to 64 hashes the first proposal, a word or kNothing: then there is none.
    // Calls `proposed(at, word)` as soon as it is known, so that what it names can be asked for.
    template <typename Proposed>
    void propose(const uint32_t* hashes, uint32_t count, uint32_t* words,
                 Proposed proposed) const noexcept;

    uint32_t overflowed() const noexcept { return overflow_count_; }

  private:
    using Bucket = TagBucket;
    static constexpr uint32_t kWays = Bucket::kWays;
    static constexpr uint16_t kFree = Bucket::kFree;
    static constexpr uint32_t kMaxBatch = 64;
    static constexpr uint32_t kPrefetchAhead = 12;
    struct Overflowed {
        uint32_t hash;
        uint32_t word;
    };

    static uint32_t first_of(uint32_t ways) noexcept {
        return static_cast<uint32_t>(__builtin_ctz(ways));
    }
    static uint32_t buckets_for(uint32_t capacity) noexcept;
    static uint32_t overflow_slots_for(uint32_t capacity) noexcept;

    uint32_t scaled(uint32_t hash) const noexcept {
        return static_cast<uint32_t>(uint64_t{hash} * bucket_count_ >> 32);
    }
    uint32_t home_of(uint32_t hash) const noexcept { return scaled(hash); }
    // The bits that decide least about the home.
    static constexpr uint16_t tag_of(uint32_t hash) noexcept {
        const auto low = static_cast<uint16_t>(hash);
        return low == kFree ? uint16_t{1} : low;
    }
    // The other bucket of an entry with this tag; that one's is this one.
    uint32_t partner_of(uint32_t bucket, uint16_t tag) const noexcept {
        const uint32_t sum = scaled(uint32_t{tag} * 0x9e3779b1u);
        return sum >= bucket ? sum - bucket : sum - bucket + bucket_count_;
    }

    bool make_room(uint32_t in, uint32_t& way) noexcept;
    bool add_overflowed(uint32_t hash, uint32_t word) noexcept;
    // From `slot` on; kNothing as word: there is none.
    uint32_t next_overflowed(uint32_t hash, uint32_t slot) const noexcept;
    void remove_overflowed(uint32_t slot) noexcept;

    Bucket* buckets_ = nullptr;
    uint32_t bucket_count_ = 0;
    Overflowed* overflow_ = nullptr;  // open addressing, linear probing
    uint32_t overflow_mask_ = 0;
    uint32_t overflow_count_ = 0;
};

template <typename IsIt>
TableEntry TagIndex::look_up(uint32_t hash, IsIt is_it) const noexcept {
    const uint32_t home = home_of(hash);
    const uint16_t tag = tag_of(hash);
    const auto among = [&](const Bucket& bucket) {
        for (uint32_t ways = bucket.ways_with(tag); ways != 0; ways &= ways - 1) {
            const TableEntry entry = entry_of(bucket.word[first_of(ways)]);
            if (is_it(entry)) return entry;
        }
        return TableEntry{};
    };
    TableEntry found = among(buckets_[home]);
    if (!found.is_none() || buckets_[home].away == 0) return found;
    found = among(buckets_[partner_of(home, tag)]);
    if (!found.is_none() || overflow_count_ == 0) return found;
    for (uint32_t slot = next_overflowed(hash, hash & overflow_mask_);
         overflow_[slot].word != kNothing;
         slot = next_overflowed(hash, (slot + 1) & overflow_mask_)) {
        const TableEntry entry = entry_of(overflow_[slot].word);
        if (is_it(entry)) return entry;
    }
    return {};
}

template <typename Proposed>
void TagIndex::propose(const uint32_t* hashes, uint32_t count, uint32_t* words,
                       Proposed proposed) const noexcept {
    const Bucket* homes[kMaxBatch];
    uint8_t late[kMaxBatch];
    uint32_t late_count = 0;
    const auto ask_for = [&](uint32_t at) {
        homes[at] = &buckets_[home_of(hashes[at])];
        prefetch_to_read(homes[at]);
    };
    for (uint32_t at = 0; at < count && at < kPrefetchAhead; ++at)
        ask_for(at);
    for (uint32_t at = 0; at < count; ++at) {
        if (at + kPrefetchAhead < count) ask_for(at + kPrefetchAhead);
        const Bucket& bucket = *homes[at];
        const uint32_t ways = bucket.ways_with(tag_of(hashes[at]));
        if (ways != 0) [[likely]] {
            words[at] = bucket.word[first_of(ways)];
            proposed(at, words[at]);
        } else if (bucket.away != 0) {
            words[at] = partner_of(static_cast<uint32_t>(&bucket - buckets_), tag_of(hashes[at]));
            prefetch_to_read(&buckets_[words[at]]);
            late[late_count++] = static_cast<uint8_t>(at);
        } else {
            words[at] = kNothing;
        }
    }
    for (uint32_t n = 0; n < late_count; ++n) {
        const uint32_t at = late[n];
        const Bucket& bucket = buckets_[words[at]];
        if (const uint32_t ways = bucket.ways_with(tag_of(hashes[at])); ways != 0)
            words[at] = bucket.word[first_of(ways)];
        else
            words[at] =
                overflow_count_ == 0
                    ? kNothing
                    : overflow_[next_overflowed(hashes[at], hashes[at] & overflow_mask_)].word;
        if (words[at] != kNothing) proposed(at, words[at]);
    }
}

}  // namespace rampart
