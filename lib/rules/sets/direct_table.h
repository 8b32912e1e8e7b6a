// DirectTable: a set of small numbers (ports, interfaces), one word for each that could be in.
//
//   word   0: not in; 1: in, from the configuration; 2: in, added at run time; else the deadline
//
// Any thread reads and changes it at once; a deadline that happens to be less than 3 is taken as 3
// ticks. Made by control.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "rules/sets/hash_table.h"

namespace rampart {

class DirectTable {
  public:
    DirectTable(uint32_t numbers, bool hides_expired, bool has_counters);

    bool find(uint32_t number, Tick now) const noexcept {
        const uint32_t word = words_[number].load(std::memory_order_relaxed);
        if (word <= kAtRunTime) return word != kAbsent;
        return !hides_expired_ || !is_past(word, now);
    }
    Addition add(uint32_t number, Tick deadline, Tick now, bool at_run_time) noexcept;
    bool remove(uint32_t number) noexcept;
    void count(uint32_t number, uint64_t bytes) noexcept;

    HashTable::Entry entry(uint32_t number) const noexcept;  // the key is left empty
    bool has(uint32_t number) const noexcept {
        return words_[number].load(std::memory_order_relaxed) != kAbsent;
    }
    void set_counts(uint32_t number, uint64_t packets, uint64_t bytes) noexcept;
    uint32_t numbers() const noexcept { return numbers_; }
    uint32_t sweep(uint32_t first, uint32_t last, Tick now) noexcept;
    uint32_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
    size_t memory_bytes() const noexcept;

  private:
    static constexpr uint32_t kAbsent = 0, kConfigured = 1, kAtRunTime = 2;
    struct Counts {
        std::atomic<uint64_t> packets, bytes;
    };

    uint32_t numbers_;
    bool hides_expired_;
    std::unique_ptr<std::atomic<uint32_t>[]> words_;
    std::unique_ptr<Counts[]> counts_;
    std::atomic<uint32_t> size_{0};
};

}  // namespace rampart
