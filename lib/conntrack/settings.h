// ConntrackSettings: the `conntrack` section of the configuration, as the trackers use it.
//
// Part of a Snapshot, immutable. Timeouts are indexed by TimeoutId; the list of names, kernel
// defaults and sysctl counterparts is timeouts.def. A changed timeout acts on a flow's next
// refresh, as in the kernel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace rampart {

enum class TimeoutId : uint8_t {
#define RAMPART_TIMEOUT(enumerator, name, seconds, sysctl) enumerator,
#include "conntrack/timeouts.def"
#undef RAMPART_TIMEOUT
};

struct TimeoutInfo {
    std::string_view name;    // key under conntrack.timeouts
    uint32_t default_s;       // the kernel's default, in seconds
    std::string_view sysctl;  // after net.netfilter.nf_conntrack_; "-" where there is none
};

inline constexpr TimeoutInfo kTimeouts[] = {
#define RAMPART_TIMEOUT(enumerator, name, seconds, sysctl) {name, seconds, sysctl},
#include "conntrack/timeouts.def"
#undef RAMPART_TIMEOUT
};
inline constexpr size_t kTimeoutCount = sizeof(kTimeouts) / sizeof(kTimeouts[0]);

constexpr std::array<Tick, kTimeoutCount> default_timeouts() noexcept {
    std::array<Tick, kTimeoutCount> ticks{};
    for (size_t i = 0; i < kTimeoutCount; ++i)
        ticks[i] = ticks_of_seconds(kTimeouts[i].default_s);
    return ticks;
}

struct ConntrackSettings {
    uint32_t max = 262144;  // flows, all workers together; fixed at start
    bool tcp_loose = true;
    bool tcp_be_liberal = false;
    bool tcp_ignore_invalid_rst = false;
    uint8_t tcp_max_retrans = 3;
    bool checksum = true;     // verify transport checksums of packets that enter
    bool accounting = false;  // packets and bytes per flow and direction
    bool timestamp = false;   // listings show when a flow began
    std::array<Tick, kTimeoutCount> timeouts = default_timeouts();

    Tick timeout(TimeoutId id) const noexcept { return timeouts[static_cast<size_t>(id)]; }
};

}  // namespace rampart
