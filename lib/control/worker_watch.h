// WorkerWatch: which workers do not come to the end of their loop.
//
// Asked every few milliseconds. A worker whose count of loops stands still while its thread uses
// the CPU is stuck in a loop of its own: that is found before it has used 20 ms, however busy the
// CPU is with other things. One that stands still without using the CPU sleeps in the kernel or was
// stopped; that is told after two seconds, because a crowded CPU looks the same for a while.
// Pure: counts and clocks come in. Control thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rampart {

class WorkerWatch {
  public:
    static constexpr uint64_t kPeriod_us = 4'000;
    static constexpr uint64_t kLongestLoop_ns = 10'000'000;      // CPU time of the thread
    static constexpr uint64_t kLongestPause_ns = 2'000'000'000;  // wall time

    // What is to be read of a worker's thread.
    class Source {
      public:
        virtual ~Source() = default;
        virtual size_t workers() const = 0;
        virtual uint64_t turns(size_t worker) const = 0;  // UINT64_MAX: it has ended
        virtual uint64_t cpu_ns(size_t worker) const = 0;
    };

    enum class State : uint8_t { Turning, Spinning, Blocked };
    struct Change {
        size_t worker;
        State state;
        uint64_t for_ns;  // how long it stood still, by the clock
    };

    explicit WorkerWatch(const Source& source) : source_(source), seen_(source.workers()) {}

    // The workers that got stuck or came back since the last look.
    std::vector<Change> look(uint64_t now_ns);
    bool is_any_stuck() const noexcept;
    State state(size_t worker) const noexcept { return seen_[worker].state; }
    // Nanoseconds that it stands still; 0 while it turns.
    uint64_t stuck_for_ns(size_t worker, uint64_t now_ns) const noexcept;

  private:
    struct Seen {
        uint64_t turns = UINT64_MAX;
        uint64_t since_ns = 0;  // when it was first seen to stand still; 0: it was not
        uint64_t cpu_ns = 0;    // of its thread, then
        State state = State::Turning;
    };
    const Source& source_;
    std::vector<Seen> seen_;
};

}  // namespace rampart
