// SourceCounts: how many flows each source address has, all workers together.
//
// One table for the process: buckets of eight words, one cache line each; a word holds 40 bits of
// the source's keyed hash and a count, and is changed by compare-and-swap, so workers share it
// without a lock. Touched only when a flow begins or ends. A source that finds its bucket full of
// others is not counted, and so not limited: that takes eight other sources with the same hash
// bits, which nobody can choose without the key. Two sources with equal 40 bits in one bucket share
// a count.
// Made by control, which makes it ready before workers use it for the first time; any worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "conntrack/keyed_hash.h"
#include "packet/tuple.h"

namespace rampart {

class SourceCounts {
  public:
    // `max_flows`: of all workers.
    SourceCounts(uint32_t max_flows, const KeyedHash& hash) noexcept;
    // Takes its memory; the functions below need it. False: there is none.
    bool make_ready() noexcept;
    uint64_t bytes() const noexcept { return bucket_count_ * sizeof(Bucket); }

    // Names a source: the first bits of its address, by a keyed hash.
    uint64_t source_of(const Tuple& tuple, uint8_t prefix4, uint8_t prefix6) const noexcept;

    enum class Added : uint8_t { Counted, Refused, Uncounted };
    // Counted: `place`, never 0, is where, for remove().
    Added try_add(uint64_t source, uint32_t limit, uint32_t& place) noexcept;
    void remove(uint32_t place) noexcept;
    uint32_t count_of(uint64_t source) const noexcept;

  private:
    static constexpr unsigned kPerBucket = 8, kCountBits = 24;
    static constexpr uint64_t kCountMask = (uint64_t{1} << kCountBits) - 1;
    // Never 0 without its count: a word of zero is free.
    static constexpr uint64_t tag_of(uint64_t source) noexcept { return source & ~kCountMask; }
    using Word = std::atomic<uint64_t>;
    struct alignas(64) Bucket {
        Word words[kPerBucket];
    };
    Word& word_at(uint32_t place) const noexcept {
        return buckets_[(place - 1) / kPerBucket].words[(place - 1) % kPerBucket];
    }
    // By the bits that its tag leaves out.
    uint64_t bucket_index(uint64_t source) const noexcept {
        return (source & kCountMask) * bucket_count_ >> kCountBits;
    }
    Bucket& bucket_of(uint64_t source) const noexcept { return buckets_[bucket_index(source)]; }

    KeyedHash hash_;
    uint64_t bucket_count_;
    std::unique_ptr<Bucket[]> buckets_;
};

}  // namespace rampart
