#include "rules/sets/direct_table.h"

#include <algorithm>

namespace rampart {

DirectTable::DirectTable(uint32_t numbers, bool hides_expired, bool has_counters)
    : numbers_(numbers),
      hides_expired_(hides_expired),
      words_(new std::atomic<uint32_t>[numbers]()),
      counts_(has_counters ? new Counts[numbers]() : nullptr) {}

Addition DirectTable::add(uint32_t number, Tick deadline, Tick now, bool at_run_time) noexcept {
    const uint32_t wanted = deadline != kNoDeadline ? std::max<Tick>(deadline, kAtRunTime + 1)
                            : at_run_time           ? kAtRunTime
                                                    : kConfigured;
    uint32_t seen = words_[number].load(std::memory_order_relaxed);
    for (;;) {
        const bool is_for_ever = seen == kConfigured || seen == kAtRunTime;
        if (is_for_ever || seen == wanted) return Addition::Refreshed;
        const bool was_in = seen != kAbsent && !is_past(seen, now);
        const bool is_new = seen == kAbsent;
        if (!words_[number].compare_exchange_weak(seen, wanted, std::memory_order_relaxed))
            continue;
        if (is_new) {
            set_counts(number, 0, 0);
            size_.fetch_add(1, std::memory_order_relaxed);
        }
        return was_in ? Addition::Refreshed : Addition::Added;
    }
}

bool DirectTable::remove(uint32_t number) noexcept {
    if (words_[number].exchange(kAbsent, std::memory_order_relaxed) == kAbsent) return false;
    size_.fetch_sub(1, std::memory_order_relaxed);
    return true;
}

void DirectTable::count(uint32_t number, uint64_t bytes) noexcept {
    if (counts_ == nullptr) return;
    counts_[number].packets.fetch_add(1, std::memory_order_relaxed);
    counts_[number].bytes.fetch_add(bytes, std::memory_order_relaxed);
}

void DirectTable::set_counts(uint32_t number, uint64_t packets, uint64_t bytes) noexcept {
    if (counts_ == nullptr) return;
    counts_[number].packets.store(packets, std::memory_order_relaxed);
    counts_[number].bytes.store(bytes, std::memory_order_relaxed);
}

HashTable::Entry DirectTable::entry(uint32_t number) const noexcept {
    HashTable::Entry entry;
    const uint32_t word = words_[number].load(std::memory_order_relaxed);
    entry.deadline = word > kAtRunTime ? word : kNoDeadline;
    entry.at_run_time = word != kConfigured;
    if (counts_ != nullptr) {
        entry.packets = counts_[number].packets.load(std::memory_order_relaxed);
        entry.bytes = counts_[number].bytes.load(std::memory_order_relaxed);
    }
    return entry;
}

uint32_t DirectTable::sweep(uint32_t first, uint32_t last, Tick now) noexcept {
    uint32_t freed = 0;
    for (uint32_t number = first; number < last; ++number) {
        uint32_t word = words_[number].load(std::memory_order_relaxed);
        if (word <= kAtRunTime || !is_past(word, now)) continue;
        if (!words_[number].compare_exchange_strong(word, kAbsent, std::memory_order_relaxed))
            continue;
        size_.fetch_sub(1, std::memory_order_relaxed);
        ++freed;
    }
    return freed;
}

size_t DirectTable::memory_bytes() const noexcept {
    return size_t{numbers_} * (sizeof(uint32_t) + (counts_ != nullptr ? sizeof(Counts) : 0));
}

}  // namespace rampart
