#include "conntrack/bucket_index.h"

#include <algorithm>

#include <rte_malloc.h>

namespace rampart {

bool BucketIndex::create(uint32_t capacity, int numa_node, const KeyedHash& hash) {
    hash_ = hash;
    bucket_count_ = buckets_for(capacity);
    overflow_mask_ = overflow_slots_for(capacity) - 1;
    buckets_ = static_cast<Bucket*>(rte_zmalloc_socket(
        "flow-buckets", uint64_t{bucket_count_} * sizeof(Bucket), alignof(Bucket), numa_node));
    overflow_ = static_cast<Overflowed*>(
        rte_zmalloc_socket("flow-overflow", (uint64_t{overflow_mask_} + 1) * sizeof(Overflowed),
                           alignof(Overflowed), numa_node));
    if (buckets_ == nullptr || overflow_ == nullptr) return false;
    for (uint32_t i = 0; i < bucket_count_; ++i)
        std::fill_n(buckets_[i].word, kWays, kEmpty);
    for (uint32_t i = 0; i <= overflow_mask_; ++i)
        overflow_[i].word = kEmpty;
    return true;
}

BucketIndex::~BucketIndex() {
    rte_free(buckets_);
    rte_free(overflow_);
}

uint32_t BucketIndex::Bucket::way_of(const FlowKey4& wanted) const noexcept {
    uint32_t way = 0;
    while (way < kWays && (word[way] == kEmpty || !is_equal(key[way], wanted)))
        ++way;
    return way;
}

uint32_t BucketIndex::Bucket::free_way() const noexcept {
    uint32_t way = 0;
    while (way < kWays && word[way] != kEmpty)
        ++way;
    return way;
}

TableEntry BucketIndex::look_up(const FlowKey4& key, uint32_t hash) const noexcept {
    const Bucket& home = buckets_[home_of(hash)];
    uint32_t word = home.find(key);
    if (word == kEmpty && home.in_other != 0) word = buckets_[other_of(hash)].find(key);
    if (word == kEmpty && home.in_overflow != 0) word = find_overflowed(key, hash);
    return entry_of(word);
}

bool BucketIndex::add(const FlowKey4& key, uint32_t hash, TableEntry entry) noexcept {
    const uint32_t word = word_of(entry);
    const uint32_t home_index = home_of(hash), other_index = other_of(hash);
    Bucket& home = buckets_[home_index];
    Bucket& other = buckets_[other_index];
    for (Bucket* bucket : {&home, &other}) {
        if (bucket == &other && home.in_other == 0) break;
        if (const uint32_t way = bucket->way_of(key); way != kWays) {
            bucket->word[way] = word;
            return true;
        }
    }
    if (home.in_overflow != 0) {
        const uint32_t slot = slot_of_overflowed(key, hash);
        if (overflow_[slot].word != kEmpty) {
            overflow_[slot].word = word;
            return true;
        }
    }
    uint32_t way = home.free_way();
    if (way != kWays) {
        home.put(way, key, word);
        return true;
    }
    if (home.in_other == UINT16_MAX) return false;
    way = other.free_way();
    if (way == kWays && make_room(home_index, way)) {
        home.put(way, key, word);
        return true;
    }
    if (way != kWays || make_room(other_index, way)) {
        other.put(way, key, word);
        ++home.in_other;
        return true;
    }
    return add_overflowed(key, hash, word);
}

// One key of this full bucket moves to its other one, if that has room for it.
bool BucketIndex::make_room(uint32_t in, uint32_t& way) noexcept {
    Bucket& bucket = buckets_[in];
    uint32_t hashes[kWays];
    const void* keys[kWays];
    for (uint32_t at = 0; at < kWays; ++at)
        keys[at] = &bucket.key[at];
    hash_.hash4(keys, hashes, kWays);
    for (uint32_t at = 0; at < kWays; ++at) {
        const uint32_t home = home_of(hashes[at]);
        const bool is_home = home == in;
        Bucket& target = buckets_[is_home ? other_of(hashes[at]) : home];
        const uint32_t room = target.free_way();
        if (room == kWays || (is_home && bucket.in_other == UINT16_MAX)) continue;
        target.put(room, bucket.key[at], bucket.word[at]);
        if (is_home)
            ++bucket.in_other;
        else
            --target.in_other;
        bucket.word[at] = kEmpty;
        way = at;
        return true;
    }
    return false;
}

bool BucketIndex::remove(const FlowKey4& key, uint32_t hash) noexcept {
    Bucket& home = buckets_[home_of(hash)];
    if (const uint32_t way = home.way_of(key); way != kWays) {
        home.put(way, FlowKey4{}, kEmpty);
        return true;
    }
    if (home.in_other != 0) {
        Bucket& other = buckets_[other_of(hash)];
        if (const uint32_t way = other.way_of(key); way != kWays) {
            other.put(way, FlowKey4{}, kEmpty);
            --home.in_other;
            return true;
        }
    }
    if (home.in_overflow == 0) return false;
    const uint32_t slot = slot_of_overflowed(key, hash);
    if (overflow_[slot].word == kEmpty) return false;
    remove_overflowed(slot);
    --home.in_overflow;
    return true;
}

bool BucketIndex::add_overflowed(const FlowKey4& key, uint32_t hash, uint32_t word) noexcept {
    Bucket& home = buckets_[home_of(hash)];
    // A quarter stays free, so that searches end soon.
    if (overflow_count_ >= overflow_mask_ - overflow_mask_ / 4 || home.in_overflow == UINT16_MAX)
        return false;
    overflow_[slot_of_overflowed(key, hash)] = {key, hash, word};
    ++overflow_count_;
    ++home.in_overflow;
    return true;
}

// That of the key, or the empty one where it would stand.
uint32_t BucketIndex::slot_of_overflowed(const FlowKey4& key, uint32_t hash) const noexcept {
    uint32_t slot = hash & overflow_mask_;
    while (overflow_[slot].word != kEmpty && !is_equal(overflow_[slot].key, key))
        slot = (slot + 1) & overflow_mask_;
    return slot;
}

uint32_t BucketIndex::find_overflowed(const FlowKey4& key, uint32_t hash) const noexcept {
    return overflow_[slot_of_overflowed(key, hash)].word;
}

// Those behind it move up, so that no search ends too early (Knuth, volume 3, algorithm 6.4 R).
void BucketIndex::remove_overflowed(uint32_t slot) noexcept {
    uint32_t gap = slot;
    for (uint32_t at = (gap + 1) & overflow_mask_; overflow_[at].word != kEmpty;
         at = (at + 1) & overflow_mask_) {
        const uint32_t wanted = overflow_[at].hash & overflow_mask_;
        if (((at - wanted) & overflow_mask_) < ((at - gap) & overflow_mask_)) continue;
        overflow_[gap] = overflow_[at];
        gap = at;
    }
    overflow_[gap].word = kEmpty;
    --overflow_count_;
}

}  // namespace rampart
