#include "rules/sets/hash_table.h"

#include <algorithm>
#include <cstring>

namespace rampart {
namespace {

constexpr uint64_t kStateMask = 3, kFree = 0, kBusy = 1, kFull = 2;
constexpr uint64_t kAtRunTime = 4;
constexpr uint64_t kVersionStep = 8;
constexpr uint64_t kVersionMask = 0xfff8;
constexpr uint64_t kTagMask = 0xffff0000;
constexpr uint64_t kIdentityMask = 0xffffffff;  // all but the deadline
constexpr int kAttempts = 16;

constexpr Tick deadline_of(uint64_t word) noexcept {
    return static_cast<Tick>(word >> 32);
}
constexpr bool is_full(uint64_t word) noexcept {
    return (word & kStateMask) == kFull;
}
constexpr bool is_overdue(uint64_t word, Tick now) noexcept {
    return deadline_of(word) != kNoDeadline && is_past(deadline_of(word), now);
}
constexpr uint64_t next_version(uint64_t word) noexcept {
    return (word + kVersionStep) & kVersionMask;
}

}  // namespace

// Half as many slots again as elements: with two choices of eight slots a refusal before `max` is
// reached is not to be seen (test/unit/rules/sets).
HashTable::HashTable(const Options& options, const KeyedHash& hash)
    : hash_(hash),
      options_(options),
      bucket_count_(std::max<uint32_t>(
          4, static_cast<uint32_t>((uint64_t{options.max} * 3 / 2 + kPerBucket - 1) / kPerBucket))),
      buckets_(new Bucket[bucket_count_]()),
      keys_(new Word[uint64_t{slots()} * options.words]()),
      counts_(options.has_counters ? new Counts[slots()]() : nullptr) {}

HashTable::Places HashTable::places_of(const SetKey& key) const noexcept {
    FlowKey6 input[2];
    static_assert(sizeof(FlowKey6) >= sizeof(key.words) + 8);
    std::memcpy(static_cast<void*>(&input[0]), key.words.data(), sizeof(key.words));
    input[1] = input[0];
    input[1].pad[8] = 1;
    const void* keys[] = {&input[0], &input[1]};
    uint32_t hashes[2];
    hash_.hash6(keys, hashes, 2);
    const auto bucket = [this](uint32_t hash) {
        return static_cast<uint32_t>(uint64_t{hash} * bucket_count_ >> 32);
    };
    Places places{{bucket(hashes[0]), bucket(hashes[1])}, uint64_t{hashes[0] & 0xffff} << 16};
    if (places.bucket[0] == places.bucket[1])
        places.bucket[1] = (places.bucket[1] + 1) % bucket_count_;
    return places;
}

// The key's words are read after the control word and before it is read again.
bool HashTable::holds(uint32_t slot, const SetKey& key) const noexcept {
    const Word* words = &keys_[uint64_t{slot} * options_.words];
    for (unsigned i = 0; i < options_.words; ++i)
        if (words[i].load(std::memory_order_acquire) != key.words[i]) return false;
    return true;
}

uint32_t HashTable::find(const SetKey& key, Tick now) const noexcept {
    const Places places = places_of(key);
    // From the last slot to the first: of twins the later one goes, so the key is met in any case.
    const auto [low, high] = std::minmax(places.bucket[0], places.bucket[1]);
    for (const uint32_t bucket : {high, low}) {
        for (uint32_t slot = (bucket + 1) * kPerBucket; slot-- > bucket * kPerBucket;) {
            const uint64_t word = word_at(slot).load(std::memory_order_acquire);
            if ((word & (kTagMask | kStateMask)) != (places.tag | kFull)) continue;
            if (options_.hides_expired && is_overdue(word, now)) continue;
            if (!holds(slot, key)) continue;
            const uint64_t again = word_at(slot).load(std::memory_order_acquire);
            if (((word ^ again) & kIdentityMask) == 0) return slot;
        }
    }
    return kNoSlot;
}

// The key, and else a place for it: in the emptier one of its buckets, overdue elements last.
HashTable::Search HashTable::search(const SetKey& key, const Places& places,
                                    Tick now) const noexcept {
    Search result;
    uint64_t free_word[2]{}, overdue_word = 0;
    uint32_t free_slot[2] = {kNoSlot, kNoSlot}, overdue_slot = kNoSlot;
    unsigned free_count[2]{};
    for (unsigned b = 0; b < 2; ++b) {
        for (uint32_t i = 0; i < kPerBucket; ++i) {
            const uint32_t slot = places.bucket[b] * kPerBucket + i;
            const uint64_t word = word_at(slot).load(std::memory_order_acquire);
            if ((word & kStateMask) == kFree) {
                if (free_count[b]++ == 0) {
                    free_slot[b] = slot;
                    free_word[b] = word;
                }
                continue;
            }
            if (!is_full(word)) continue;
            if ((word & kTagMask) == places.tag && holds(slot, key) &&
                ((word ^ word_at(slot).load(std::memory_order_acquire)) & kIdentityMask) == 0) {
                result.found = slot;
                result.word = word;
                return result;
            }
            if (is_overdue(word, now) && overdue_slot == kNoSlot) {
                overdue_slot = slot;
                overdue_word = word;
            }
        }
    }
    const unsigned roomier = free_count[1] > free_count[0] ? 1 : 0;
    result.vacant = free_slot[roomier] != kNoSlot ? free_slot[roomier] : overdue_slot;
    result.word = free_slot[roomier] != kNoSlot ? free_word[roomier] : overdue_word;
    return result;
}

bool HashTable::reserve() noexcept {
    if (size_.fetch_add(1, std::memory_order_relaxed) < options_.max) return true;
    size_.fetch_sub(1, std::memory_order_relaxed);
    return false;
}

// `content`: deadline and origin. False: somebody else took the slot.
bool HashTable::fill(const SetKey& key, const Places& places, const Search& vacancy,
                     uint64_t content) noexcept {
    uint64_t expected = vacancy.word;
    const uint64_t version = next_version(expected);
    if (!word_at(vacancy.vacant)
             .compare_exchange_strong(expected, version | kBusy, std::memory_order_seq_cst))
        return false;
    Word* words = &keys_[uint64_t{vacancy.vacant} * options_.words];
    for (unsigned i = 0; i < options_.words; ++i)
        words[i].store(key.words[i], std::memory_order_release);
    if (counts_ != nullptr) set_counts(vacancy.vacant, 0, 0);
    word_at(vacancy.vacant)
        .store(content | places.tag | version | kFull, std::memory_order_seq_cst);
    return true;
}

// Somebody else may have added the same key meanwhile: the first slot of all stays. Whoever
// publishes last sees both.
void HashTable::drop_twins(const SetKey& key, const Places& places) noexcept {
    bool is_first = true;
    const uint32_t low = std::min(places.bucket[0], places.bucket[1]);
    const uint32_t high = std::max(places.bucket[0], places.bucket[1]);
    for (const uint32_t bucket : {low, high}) {
        for (uint32_t slot = bucket * kPerBucket; slot < (bucket + 1) * kPerBucket; ++slot) {
            uint64_t word = word_at(slot).load(std::memory_order_seq_cst);
            if (!is_full(word) || (word & kTagMask) != places.tag || !holds(slot, key)) continue;
            if (((word ^ word_at(slot).load(std::memory_order_seq_cst)) & kIdentityMask) != 0)
                continue;
            if (!is_first) free_slot(slot, word);
            is_first = false;
        }
    }
}

// Whatever happens to its deadline meanwhile; false when it is another element by now.
bool HashTable::free_slot(uint32_t slot, uint64_t word) noexcept {
    uint64_t seen = word;
    while (((seen ^ word) & kIdentityMask) == 0) {
        if (word_at(slot).compare_exchange_weak(seen, next_version(seen) | kFree,
                                                std::memory_order_seq_cst)) {
            size_.fetch_sub(1, std::memory_order_relaxed);
            return true;
        }
    }
    return false;
}

Addition HashTable::add(const SetKey& key, Tick deadline, Tick now, bool at_run_time) noexcept {
    const Places places = places_of(key);
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        const Search at = search(key, places, now);
        if (at.found != kNoSlot) {
            uint64_t word = at.word;
            const bool was_overdue = is_overdue(word, now);
            if (deadline_of(word) == kNoDeadline || deadline_of(word) == deadline)
                return Addition::Refreshed;
            const uint64_t refreshed = (word & kIdentityMask) | uint64_t{deadline} << 32;
            if (word_at(at.found).compare_exchange_strong(word, refreshed,
                                                          std::memory_order_seq_cst))
                return was_overdue ? Addition::Added : Addition::Refreshed;
            continue;
        }
        if (at.vacant == kNoSlot) return Addition::Refused;
        const bool is_new = (at.word & kStateMask) == kFree;
        if (is_new && !reserve()) return Addition::Refused;
        const uint64_t content = uint64_t{deadline} << 32 | (at_run_time ? kAtRunTime : 0);
        if (fill(key, places, at, content)) {
            drop_twins(key, places);
            return Addition::Added;
        }
        if (is_new) size_.fetch_sub(1, std::memory_order_relaxed);
    }
    return Addition::Refused;
}

bool HashTable::remove(const SetKey& key) noexcept {
    const Places places = places_of(key);
    bool was_in = false;
    for (const uint32_t bucket : places.bucket) {
        for (uint32_t slot = bucket * kPerBucket; slot < (bucket + 1) * kPerBucket; ++slot) {
            const uint64_t word = word_at(slot).load(std::memory_order_acquire);
            if (!is_full(word) || (word & kTagMask) != places.tag || !holds(slot, key)) continue;
            was_in = free_slot(slot, word) || was_in;
        }
    }
    return was_in;
}

void HashTable::count(uint32_t slot, uint64_t bytes) noexcept {
    if (counts_ == nullptr) return;
    counts_[slot].packets.fetch_add(1, std::memory_order_relaxed);
    counts_[slot].bytes.fetch_add(bytes, std::memory_order_relaxed);
}

void HashTable::set_counts(uint32_t slot, uint64_t packets, uint64_t bytes) noexcept {
    if (counts_ == nullptr) return;
    counts_[slot].packets.store(packets, std::memory_order_relaxed);
    counts_[slot].bytes.store(bytes, std::memory_order_relaxed);
}

std::optional<HashTable::Entry> HashTable::entry(uint32_t slot) const noexcept {
    const uint64_t word = word_at(slot).load(std::memory_order_acquire);
    if (!is_full(word)) return std::nullopt;
    Entry entry;
    entry.deadline = deadline_of(word);
    entry.at_run_time = (word & kAtRunTime) != 0;
    for (unsigned i = 0; i < options_.words; ++i)
        entry.key.words[i] =
            keys_[uint64_t{slot} * options_.words + i].load(std::memory_order_acquire);
    if (counts_ != nullptr) {
        entry.packets = counts_[slot].packets.load(std::memory_order_relaxed);
        entry.bytes = counts_[slot].bytes.load(std::memory_order_relaxed);
    }
    const uint64_t again = word_at(slot).load(std::memory_order_acquire);
    if (((word ^ again) & kIdentityMask) != 0) return std::nullopt;
    return entry;
}

uint32_t HashTable::sweep(uint32_t first, uint32_t last, Tick now) noexcept {
    uint32_t freed = 0;
    for (uint32_t slot = first; slot < last; ++slot) {
        uint64_t word = word_at(slot).load(std::memory_order_relaxed);
        if (!is_full(word) || !is_overdue(word, now)) continue;
        // A refresh in between keeps it.
        if (!word_at(slot).compare_exchange_strong(word, next_version(word) | kFree,
                                                   std::memory_order_seq_cst))
            continue;
        size_.fetch_sub(1, std::memory_order_relaxed);
        ++freed;
    }
    return freed;
}

void HashTable::clear() noexcept {
    for (uint32_t slot = 0; slot < slots(); ++slot) {
        const uint64_t word = word_at(slot).load(std::memory_order_relaxed);
        if (is_full(word)) free_slot(slot, word);
    }
}

size_t HashTable::memory_bytes() const noexcept {
    return size_t{slots()} *
           (sizeof(Word) * (1 + options_.words) + (counts_ != nullptr ? sizeof(Counts) : 0));
}

}  // namespace rampart
