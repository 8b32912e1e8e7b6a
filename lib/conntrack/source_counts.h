// SourceCounts: how many flows each source address has, all workers together.
//
// One table for the process: buckets of eight words, one cache line each; a word holds 40 bits of
// the source's keyed hash and a count, and is changed by compare-and-swap, so workers share it
// without a lock. Touched only when a flow begins or ends. A source that finds its bucket full of
// others is not counted, and so not limited: that takes eight other sources with the same hash
// bits, which nobody can choose without the key. Two sources with equal 40 bits in one bucket share
// a count.
// Made by control; any worker.
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
    SourceCounts(uint32_t max_flows, const KeyedHash& hash);

    // Names a source: the first bits of its address, by a keyed hash.
    uint64_t source_of(const Tuple& tuple, uint8_t prefix4, uint8_t prefix6) const noexcept;

    enum class Added : uint8_t { Counted, Refused, Uncounted };
    // Counted: `place`, never 0, is where, for remove().
    Added try_add(uint64_t source, uint32_t limit, uint32_t& place) noexcept;
    void remove(uint32_t place) noexcept;
    uint32_t count_of(uint64_t source) const noexcept;

  private:
    static constexpr unsigned kPerBucket = 8;
    using Word = std::atomic<uint64_t>;
    struct alignas(64) Bucket {
        Word words[kPerBucket];
    };
    Word& word_at(uint32_t place) const noexcept {
        return buckets_[(place - 1) / kPerBucket].words[(place - 1) % kPerBucket];
    }
    Bucket& bucket_of(uint64_t source) const noexcept { return buckets_[source & mask_]; }

    KeyedHash hash_;
    uint64_t mask_;
    std::unique_ptr<Bucket[]> buckets_;
};

}  // namespace rampart
