// FlowRecord: what the beginning and the end of a flow touch, and its packets do not.
//
// Half a line in an array beside the flows, same index. Control reads it and the flow's key while
// the worker may give the slot to another flow: what it has read is of one flow if `incarnation`
// was that flow's before and after (a seqlock whose sequence is the flow's serial number; the
// worker clears kLive before it changes anything else).
//
// Source: Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/shared.h"
#include "conntrack/flow.h"
#include "packet/tuple.h"

namespace rampart {

inline constexpr uint32_t kMaxSerial = (1u << 30) - 1;

// A copy of what is known of a flow's beginning.
struct FlowInfo {
    Tuple original;
    uint64_t created_ns = 0;  // Now::wall_ns at confirmation
    uint32_t serial = 0;      // tells incarnations of one index apart; part of the listed id
    uint32_t source = 0;      // its place in SourceCounts; 0: not counted there
};

// Of a flow that is in a SlotQueue. Worker only.
struct SlotLink {
    FlowIndex older = kNoFlow;
    FlowIndex newer = kNoFlow;
    Tick deadline = 0;   // of the flow when it was queued
    uint32_t queue = 0;  // the id of its queue; 0: none
};

struct alignas(32) FlowRecord {
    Shared<uint64_t> created_ns;           // worker: rw, control: ro
    std::atomic<uint32_t> incarnation{0};  // worker: rw, control: ro; its serial and the below
    uint32_t source = 0;                   // worker only
    SlotLink link;                         // worker only

    // The flow is in the table.
    static constexpr uint32_t kLive = 1u << 30;
    // Packets whose key is not swapped are replies.
    static constexpr uint32_t kTurned = 1u << 31;

    uint32_t serial() const noexcept { return own() & kMaxSerial; }
    bool is_turned() const noexcept { return own() & kTurned; }
    // After everything else that control may read about this incarnation.
    void begin(uint32_t serial, bool is_turned) noexcept {
        incarnation.store(serial | kLive | (is_turned ? kTurned : 0), std::memory_order_release);
    }
    void end() noexcept {
        incarnation.store(own() & ~kLive, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
    }

  private:
    uint32_t own() const noexcept { return incarnation.load(std::memory_order_relaxed); }
};
static_assert(sizeof(FlowRecord) == 32);

}  // namespace rampart
