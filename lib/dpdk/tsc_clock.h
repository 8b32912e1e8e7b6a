// TscClock: the time-stamp counter as a Now.
//
// One is made at start; the workers and control copy it, so all agree on when Now was zero. Reading
// it costs an rdtsc and a multiplication. Any thread.
#pragma once

#include <cstdint>

#include <rte_cycles.h>

#include "base/clock.h"

namespace rampart {

class TscClock {
  public:
    // Needs EAL, which measures the counter's frequency.
    static TscClock start_now() noexcept { return TscClock(rte_rdtsc()); }
    static uint64_t read_tsc() noexcept { return rte_rdtsc(); }

    // `wall_offset_ns` makes wall-clock time of time since the start; its owner keeps it right.
    Now at(uint64_t tsc, uint64_t wall_offset_ns = 0) const noexcept {
        __extension__ using Wide = unsigned __int128;  // 32.32 fixed point without overflow
        const Wide product = static_cast<Wide>(tsc - start_) * ns_per_tsc_;
        return Now::at(static_cast<uint64_t>(product >> 32), wall_offset_ns);
    }
    Now now() const noexcept { return at(rte_rdtsc()); }

  private:
    explicit TscClock(uint64_t start) noexcept
        : start_(start), ns_per_tsc_((uint64_t{1'000'000'000} << 32) / rte_get_tsc_hz()) {}

    uint64_t start_;
    uint64_t ns_per_tsc_;
};

}  // namespace rampart
