// Mailbox: what control asks of one worker (design D5). Control proposes, the worker disposes.
//
// A RecordRing from control to the worker, which takes at most kCommandsPerLoop per loop, fewer
// when they erase much, kCommandsAtOnce at a time, re-checks each against its table and does it.
// Nothing is answered: control sees the effect in the counters and the arrays.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/record_ring.h"

namespace rampart {

inline constexpr uint32_t kCommandsPerLoop = 32;
inline constexpr uint32_t kCommandsAtOnce = 8;

struct Command {
    enum class Kind : uint32_t {
        Expire,        // erase flow `index` if its deadline has passed
        Erase,         // erase flow `index` if it is still the incarnation `serial`
        EraseRange,    // erase whatever is in slots [index, index + serial)
        EvictClosing,  // up to kEraseRangeSlots connections that are being closed give way
        Discount       // take `packets` and `bytes`, which were shown, off one direction's counters
    };
    Kind kind = Kind::Expire;
    uint32_t index = 0;
    uint32_t serial = 0;
    uint32_t side = 0;     // of Discount: the direction
    uint64_t packets = 0;  // of Discount
    uint64_t bytes = 0;    // of Discount
};
static_assert(sizeof(Command) == 32);

// Slots per EraseRange: bounds the time one command takes.
inline constexpr uint32_t kEraseRangeSlots = 16;

// A loop of a worker ends its commands when it has erased so many flows, so that packets wait no
// longer than some microseconds for them.
inline constexpr uint32_t kErasuresPerLoop = 16;

class Mailbox {
  public:
    // A turn of the ager posts up to a fiftieth of a worker's table at once.
    static constexpr uint32_t kSlots = 32768;

    static Result<std::unique_ptr<Mailbox>> create(const std::string& name, int numa_node);

    // --- control ---
    bool post(const Command& command) noexcept { return ring_.put(command); }  // false: full
    // May something be posted that can wait? Ageing has the other half for itself.
    bool has_room() const noexcept { return ring_.room() > kSlots / 2; }

    // --- the worker ---
    uint32_t take(Command* commands, uint32_t capacity) noexcept {
        return ring_.take(commands, capacity);
    }

    // --- both ---
    bool is_empty() const noexcept { return ring_.is_empty(); }

  private:
    explicit Mailbox(RecordRing<Command> ring) : ring_(std::move(ring)) {}
    RecordRing<Command> ring_;
};

}  // namespace rampart
