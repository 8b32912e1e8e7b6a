// ForeignKeys: the tuples whose packets belong to a flow of another worker, who gets them.
//
//   promised   this worker has handed a first packet over, and waits to be told of the flow
//   told       the other worker has the flow, and will say when it ends
//
// A promise that nobody keeps (the packet was refused or lost on its way) ends by itself after
// kPatience, or when kPromises newer ones stand behind it. Owner: one worker.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "conntrack/key_table.h"

namespace rampart {

class ForeignKeys {
  public:
    static constexpr uint32_t kPromises = 1024;
    static constexpr Tick kPatience = ticks_of_seconds(1);

    // `keys` is where they stand, and outlives this.
    explicit ForeignKeys(KeyTable& keys) noexcept : keys_(keys) {}

    // False: the tuple is taken, or there is no room.
    bool promise(const Tuple& tuple, uint16_t worker, Tick now) noexcept;
    // The worker has told of the flow. What it says holds against whatever stood there of others.
    bool add(const Tuple& tuple, uint16_t worker) noexcept;
    void remove(const Tuple& tuple, uint16_t worker) noexcept;
    // One of these two.
    void heed(const Tuple& tuple, uint16_t worker, bool is_added) noexcept {
        if (is_added)
            add(tuple, worker);
        else
            remove(tuple, worker);
    }
    // Ends the promises that are overdue.
    void expire(Tick now) noexcept;
    uint32_t promises() const noexcept { return count_; }

  private:
    struct Promise {
        Tuple tuple;
        uint16_t worker = 0;
        Tick until = 0;
    };
    void end_oldest() noexcept;

    KeyTable& keys_;
    std::array<Promise, kPromises> promises_;  // a ring
    uint32_t first_ = 0;
    uint32_t count_ = 0;
};

}  // namespace rampart
