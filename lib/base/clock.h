// Time as the datapath sees it: it enters once per loop as a Now and is never read elsewhere.
//
// A Tick is 10 ms. Ticks wrap after 497 days, so they are compared by their signed difference, and
// no timeout may exceed kMaxTimeout_s (half the range, rounded down). Tests and the replay tool
// make their own Now; only the worker's poll loop reads a clock.
#pragma once

#include <cstdint>

namespace rampart {

using Tick = uint32_t;

inline constexpr uint32_t kTicksPerSecond = 100;
inline constexpr uint64_t kNanosecondsPerTick = 1'000'000'000 / kTicksPerSecond;
inline constexpr uint32_t kMaxTimeout_s = 20'000'000;  // 231 days

struct Now {
    uint64_t ns = 0;       // monotonic nanoseconds since the process (or the replay) began
    Tick tick = 0;         // ns in ticks
    uint64_t wall_ns = 0;  // nanoseconds since 1970; may jump when the host's clock is set

    static constexpr Now at(uint64_t ns, uint64_t wall_offset_ns = 0) noexcept {
        return {ns, static_cast<Tick>(ns / kNanosecondsPerTick), ns + wall_offset_ns};
    }
};

constexpr Tick ticks_of_seconds(uint32_t seconds) noexcept {
    return seconds * kTicksPerSecond;
}

// True when `deadline` is at or before `now`.
constexpr bool is_past(Tick deadline, Tick now) noexcept {
    return static_cast<int32_t>(now - deadline) >= 0;
}

// Ticks from `now` until `deadline`, 0 when it has passed.
constexpr Tick ticks_left(Tick deadline, Tick now) noexcept {
    return is_past(deadline, now) ? 0 : deadline - now;
}

}  // namespace rampart
