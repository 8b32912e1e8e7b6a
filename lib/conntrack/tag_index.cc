#include "conntrack/tag_index.h"

#include <rte_malloc.h>

namespace rampart {

bool TagIndex::create(uint32_t capacity, int numa_node) {
    bucket_count_ = buckets_for(capacity);
    overflow_mask_ = overflow_slots_for(capacity) - 1;
    buckets_ = static_cast<Bucket*>(rte_zmalloc_socket(
        "flow-buckets", uint64_t{bucket_count_} * sizeof(Bucket), alignof(Bucket), numa_node));
    overflow_ = static_cast<Overflowed*>(
        rte_zmalloc_socket("flow-overflow", (uint64_t{overflow_mask_} + 1) * sizeof(Overflowed),
                           alignof(Bucket), numa_node));
    if (buckets_ == nullptr || overflow_ == nullptr) return false;
    for (uint32_t i = 0; i <= overflow_mask_; ++i)
        overflow_[i].word = kNothing;
    return true;
}

TagIndex::~TagIndex() {
    rte_free(buckets_);
    rte_free(overflow_);
}

uint32_t TagBucket::way_of(uint16_t wanted, uint32_t its_word, bool as_stranger) const noexcept {
    for (uint32_t ways = ways_with(wanted); ways != 0; ways &= ways - 1) {
        const auto way = static_cast<uint32_t>(__builtin_ctz(ways));
        if (word[way] == its_word && is_stranger(way) == as_stranger) return way;
    }
    return kWays;
}

bool TagIndex::add(uint32_t hash, TableEntry entry) noexcept {
    const uint32_t word = word_of(entry);
    const uint16_t tag = tag_of(hash);
    const uint32_t home_index = home_of(hash);
    Bucket& home = buckets_[home_index];
    if (const uint32_t free = home.ways_with(kFree); free != 0) [[likely]] {
        home.put(first_of(free), tag, word, false);
        return true;
    }
    if (home.away == UINT16_MAX) return false;
    const uint32_t other_index = partner_of(home_index, tag);
    Bucket& other = buckets_[other_index];
    uint32_t way = kWays;
    if (const uint32_t free = other.ways_with(kFree); free != 0) {
        way = first_of(free);
    } else if (make_room(home_index, way)) {
        home.put(way, tag, word, false);
        return true;
    } else if (!make_room(other_index, way)) {
        return add_overflowed(hash, word);
    }
    other.put(way, tag, word, true);
    ++home.away;
    return true;
}

// One entry of this full bucket moves to its other one, if that has room for it.
bool TagIndex::make_room(uint32_t in, uint32_t& way) noexcept {
    Bucket& bucket = buckets_[in];
    for (way = 0; way < kWays; ++way) {
        const uint32_t to = partner_of(in, bucket.tag[way]);
        Bucket& target = buckets_[to];
        const uint32_t free = target.ways_with(kFree);
        const bool goes_home = bucket.is_stranger(way);
        if (free == 0 || to == in || (!goes_home && bucket.away == UINT16_MAX)) continue;
        target.put(first_of(free), bucket.tag[way], bucket.word[way], !goes_home);
        if (goes_home)
            --target.away;
        else
            ++bucket.away;
        bucket.tag[way] = kFree;
        return true;
    }
    return false;
}

bool TagIndex::remove(uint32_t hash, TableEntry entry) noexcept {
    const uint32_t word = word_of(entry);
    const uint16_t tag = tag_of(hash);
    const uint32_t home_index = home_of(hash);
    Bucket& home = buckets_[home_index];
    if (const uint32_t way = home.way_of(tag, word, false); way != kWays) {
        home.tag[way] = kFree;
        return true;
    }
    if (home.away == 0) return false;
    Bucket& other = buckets_[partner_of(home_index, tag)];
    if (const uint32_t way = other.way_of(tag, word, true); way != kWays) {
        other.tag[way] = kFree;
        --home.away;
        return true;
    }
    uint32_t slot = next_overflowed(hash, hash & overflow_mask_);
    while (overflow_[slot].word != kNothing && overflow_[slot].word != word)
        slot = next_overflowed(hash, (slot + 1) & overflow_mask_);
    if (overflow_[slot].word == kNothing) return false;
    remove_overflowed(slot);
    --home.away;
    return true;
}

bool TagIndex::add_overflowed(uint32_t hash, uint32_t word) noexcept {
    // A quarter stays free, so that searches end soon.
    if (overflow_count_ >= overflow_mask_ - overflow_mask_ / 4) return false;
    uint32_t slot = hash & overflow_mask_;
    while (overflow_[slot].word != kNothing)
        slot = (slot + 1) & overflow_mask_;
    overflow_[slot] = {hash, word};
    ++overflow_count_;
    ++buckets_[home_of(hash)].away;
    return true;
}

uint32_t TagIndex::next_overflowed(uint32_t hash, uint32_t slot) const noexcept {
    while (overflow_[slot].word != kNothing && overflow_[slot].hash != hash)
        slot = (slot + 1) & overflow_mask_;
    return slot;
}

// Those behind it move up, so that no search ends too early (Knuth, volume 3, algorithm 6.4 R).
void TagIndex::remove_overflowed(uint32_t slot) noexcept {
    uint32_t gap = slot;
    for (uint32_t at = (gap + 1) & overflow_mask_; overflow_[at].word != kNothing;
         at = (at + 1) & overflow_mask_) {
        const uint32_t wanted = overflow_[at].hash & overflow_mask_;
        if (((at - wanted) & overflow_mask_) < ((at - gap) & overflow_mask_)) continue;
        overflow_[gap] = overflow_[at];
        gap = at;
    }
    overflow_[gap].word = kNothing;
    --overflow_count_;
}

}  // namespace rampart
