// TokenBuckets: what a `limit` remembers, one bucket of tokens or one per key, for all workers.
//
// A bucket is the time at which it will be full again (the "theoretical arrival time" of the
// generic cell rate algorithm). A packet costs time; it conforms when the bucket would then be
// full no later than one burst from now. So a bucket is one word, changed by compare-and-swap, and
// a full bucket need not be kept: an absent one is full.
//
//   cells_  [key, full_at] x 4 per cache line; a key may stand in either of two lines
//
// A cell is changed as a whole (16 bytes), and a key has at most one cell: a worker that brings a
// new key writes it as tentative, looks whether another worker did so, too, and only then confirms.
// Therefore the sum over all workers keeps to the rate: any time t sees at most burst + rate * t.
// When both lines are full of buckets in use the packet does not conform, and is counted
// (without_room); memory is fixed when the table is made, on the control thread.
//
// Any worker: take(). Control: the rest. Sources: ITU-T I.371 (GCRA).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "rules/limit_rate.h"

namespace rampart {

class TokenBuckets {
  public:
    // `max_keys` 0: one bucket for all.
    TokenBuckets(const LimitTerms& limit, uint32_t max_keys);

    // Takes what the packet costs; false when the bucket does not hold it. `amount`: its bytes, or
    // 1. `key` names the bucket by a keyed hash.
    bool take(uint64_t key, uint64_t now_ns, uint64_t amount) noexcept;
    uint32_t max_keys() const noexcept { return max_keys_; }
    // Keys whose bucket is not full.
    uint32_t used_keys(uint64_t now_ns) const noexcept;
    // Packets that found no room for their key.
    uint64_t without_room() const noexcept { return without_room_.load(std::memory_order_relaxed); }

  private:
    struct alignas(16) Cell {
        std::atomic<uint64_t> key{0};      // 0: free; bit 0: tentative
        std::atomic<uint64_t> full_at{0};  // in 1/16 ns
    };
    struct Content {
        uint64_t key;
        uint64_t full_at;
    };
    static constexpr unsigned kPerLine = 4;
    struct alignas(64) Line {
        Cell cells[kPerLine];
    };
    // The eight places of a key.
    struct Places {
        Line* lines[2];
        Cell& operator[](unsigned at) const noexcept {
            return lines[at / kPerLine]->cells[at % kPerLine];
        }
    };
    static constexpr unsigned kPlaces = 2 * kPerLine;
    enum class Outcome : uint8_t { Taken, Refused, NoRoom, Again };

    uint64_t cost_of(uint64_t amount) const noexcept;
    Places places_of(uint64_t key) const noexcept;
    static Content read(const Cell& cell) noexcept;
    static bool swap(Cell& cell, Content expected, Content wanted) noexcept;
    bool take_from_one(uint64_t now, uint64_t cost) noexcept;
    Outcome try_take(uint64_t key, uint64_t now, uint64_t cost) noexcept;
    Outcome charge(Cell& cell, uint64_t key, uint64_t now, uint64_t cost) noexcept;
    static Cell* find_free(const Places& places, uint64_t now, Content& content) noexcept;
    Outcome insert(const Places& places, uint64_t key, uint64_t now, uint64_t cost) noexcept;
    static bool is_alone(const Places& places, const Cell& own, uint64_t key) noexcept;

    // Cost of an amount: amount * multiplier_ / 2^shift_, rounded up; in 1/16 ns.
    uint64_t multiplier_ = 0;
    unsigned shift_ = 0;
    uint64_t capacity_ = 0;  // what a full bucket is worth, in 1/16 ns
    uint32_t max_keys_;
    uint64_t line_mask_ = 0;
    std::atomic<uint64_t> full_at_{0};  // of the one bucket
    std::unique_ptr<Line[]> lines_;
    std::atomic<uint64_t> without_room_{0};
};

}  // namespace rampart
