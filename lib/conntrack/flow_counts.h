// FlowCounts: how many live flows each key of one `connlimit` rule has, all workers together.
// CountedFlows: which flows of one worker are counted where, so that each is taken off once.
//
//   flow index -> first_[i] -> record {rule, key} -> record {rule, key} ...
//
// A flow is counted when a rule first sees a packet of it, and taken off when it leaves the table,
// is given back because no rule accepted it, or has ended (uncount). A record names its rule by a
// number that is never used again: flows of rules that went away are simply forgotten.
//
// FlowCounts: made by control; words are changed by compare-and-swap, any worker. CountedFlows:
// made by control, used by one worker. Fixed size, both.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "conntrack/flow.h"

namespace rampart {

class FlowCounts {
  public:
    // How many flows of a key, when there is no room to count them.
    static constexpr uint32_t kNoRoom = UINT32_MAX;

    explicit FlowCounts(uint32_t max_keys);

    // The key's flows with this one, or kNoRoom. `key`: a keyed hash.
    uint32_t add(uint64_t key) noexcept;
    // Only for a flow that add() counted.
    void remove(uint64_t key) noexcept;
    uint32_t count_of(uint64_t key) const noexcept;

    void note_no_room() noexcept { without_room_.fetch_add(1, std::memory_order_relaxed); }
    // Control.
    uint32_t max_keys() const noexcept { return max_keys_; }
    uint32_t used_keys() const noexcept;
    uint64_t flows() const noexcept;
    // Packets whose flow could not be counted.
    uint64_t without_room() const noexcept { return without_room_.load(std::memory_order_relaxed); }

  private:
    static constexpr unsigned kPerBucket = 8;
    using Word = std::atomic<uint64_t>;  // 40 bits of the key, 24 of the count; 0: free
    struct alignas(64) Bucket {
        Word words[kPerBucket];
    };
    Bucket& bucket_of(uint64_t key) const noexcept { return buckets_[key & mask_]; }

    uint32_t max_keys_;
    uint64_t mask_;
    std::unique_ptr<Bucket[]> buckets_;
    std::atomic<uint64_t> without_room_{0};
};

// A rule that counts. `number` is never used for another one.
struct CountingRule {
    uint32_t number = 0;
    FlowCounts* counts = nullptr;
};

class CountedFlows {
  public:
    // Room for this many flow slots, and twice as many records.
    explicit CountedFlows(uint32_t flow_slots);

    // The rules there are from now on, sorted by number; they outlive the next use().
    void use(std::span<const CountingRule> rules) noexcept { rules_ = rules; }
    // Counts the flow under this key unless it is already; returns the key's flows, or kNoRoom.
    uint32_t count(FlowIndex flow, const CountingRule& rule, uint64_t key) noexcept;
    // The flow is over.
    void uncount(FlowIndex flow) noexcept;

    uint32_t records() const noexcept { return used_; }

  private:
    static constexpr uint32_t kEnd = UINT32_MAX;
    struct Record {
        uint64_t key;
        uint32_t rule;
        uint32_t next;
    };
    FlowCounts* counts_of(uint32_t rule) const noexcept;

    std::span<const CountingRule> rules_;
    std::unique_ptr<uint32_t[]> first_;  // by FlowIndex
    std::unique_ptr<Record[]> records_;
    uint32_t free_ = 0;  // a list through Record::next
    uint32_t used_ = 0;
};

}  // namespace rampart
