// HashTable: a bounded set of keys that several workers and control read and change at once.
//
// Two choices of buckets by a keyed hash, eight slots each, one cache line of control words per
// bucket:
//
//   control word   deadline : 32 | tag : 16 | version : 13 | at_run_time : 1 | state : 2
//
// A slot is claimed, published, refreshed and freed by compare-and-swap on its control word. Every
// new use of a slot has another version, so whoever compared a key and finds the word unchanged
// (but for the deadline) has seen one element. Two threads that add one key at once may take two
// slots for a moment; each looks again after publishing, and the later slot goes.
//
// Nobody waits: a slot that somebody is just filling counts as taken. Nothing allocates after
// construction. When the set has `max` elements, or both buckets of a key are full, an addition is
// refused; slots whose time is up are taken first.
//
// Made by control; any thread calls everything but sweep() and entry(), which are control's.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "conntrack/keyed_hash.h"
#include "rules/sets/set_key.h"

namespace rampart {

enum class Addition : uint8_t { Added, Refreshed, Refused };

inline constexpr Tick kNoDeadline = 0;

class HashTable {
  public:
    static constexpr uint32_t kNoSlot = 0xffffffff;

    // `words` of each key are used; `hides_expired`: look-ups do not find what is past its
    // deadline, whether or not it was swept.
    struct Options {
        uint32_t max = 65536;
        unsigned words = SetKey::kShortWords;
        bool hides_expired = true;
        bool has_counters = false;
    };
    HashTable(const Options& options, const KeyedHash& hash);

    uint32_t find(const SetKey& key, Tick now) const noexcept;
    // `deadline` kNoDeadline: for ever. An element that is in already gets the later one of two
    // kinds: for ever wins, else the new deadline.
    Addition add(const SetKey& key, Tick deadline, Tick now, bool at_run_time) noexcept;
    bool remove(const SetKey& key) noexcept;
    void count(uint32_t slot, uint64_t bytes) noexcept;

    struct Entry {
        SetKey key;
        Tick deadline = kNoDeadline;
        bool at_run_time = false;
        uint64_t packets = 0, bytes = 0;
    };
    uint32_t slots() const noexcept { return bucket_count_ * kPerBucket; }
    std::optional<Entry> entry(uint32_t slot) const noexcept;
    void set_counts(uint32_t slot, uint64_t packets, uint64_t bytes) noexcept;
    // Frees what is past its deadline in [first, last); returns how many.
    uint32_t sweep(uint32_t first, uint32_t last, Tick now) noexcept;
    void clear() noexcept;

    uint32_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
    size_t memory_bytes() const noexcept;

  private:
    static constexpr uint32_t kPerBucket = 8;
    using Word = std::atomic<uint64_t>;
    struct alignas(64) Bucket {
        Word words[kPerBucket];
    };
    struct Counts {
        std::atomic<uint64_t> packets, bytes;
    };
    // Where a key may be.
    struct Places {
        uint32_t bucket[2];
        uint64_t tag;  // in place
    };
    struct Search {
        uint32_t found = kNoSlot;
        uint32_t vacant = kNoSlot;  // free, or past its deadline
        uint64_t word = 0;          // of `found`, else of `vacant`
    };

    Places places_of(const SetKey& key) const noexcept;
    Word& word_at(uint32_t slot) const noexcept {
        return buckets_[slot / kPerBucket].words[slot % kPerBucket];
    }
    bool holds(uint32_t slot, const SetKey& key) const noexcept;
    Search search(const SetKey& key, const Places& places, Tick now) const noexcept;
    bool fill(const SetKey& key, const Places& places, const Search& vacancy,
              uint64_t content) noexcept;
    void drop_twins(const SetKey& key, const Places& places) noexcept;
    bool free_slot(uint32_t slot, uint64_t word) noexcept;
    bool reserve() noexcept;

    KeyedHash hash_;
    Options options_;
    uint32_t bucket_count_;
    std::unique_ptr<Bucket[]> buckets_;
    std::unique_ptr<Word[]> keys_;
    std::unique_ptr<Counts[]> counts_;  // null without counters
    alignas(64) std::atomic<uint32_t> size_{0};
};

}  // namespace rampart
