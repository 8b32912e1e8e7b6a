// ProtocolCounts: the flows of one table that began and that ended, by protocol.
//
// Protocols are numbered by their tracker. Monotonic. Worker: rw, control: ro.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/shared.h"

namespace rampart {

inline constexpr size_t kTrackerCount = 8;

// The place in trackers() of the one that claims the protocol: below kTrackerCount.
uint8_t tracker_number(uint8_t protocol) noexcept;

struct ProtocolCounts {
    std::array<Shared<uint64_t>, kTrackerCount> begun;
    std::array<Shared<uint64_t>, kTrackerCount> ended;
};

}  // namespace rampart
