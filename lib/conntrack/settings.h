// ConntrackSettings: the `conntrack` section of the configuration, as the trackers use it.
//
// Part of a Snapshot, immutable. Timeouts are indexed by TimeoutId; the list of names, kernel
// defaults and sysctl counterparts is timeouts.def. A changed timeout acts on a flow's next
// refresh, as in the kernel.
#pragma once

#include <array>
#include <bitset>
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

// What a new flow does to a full table.
enum class OnFull : uint8_t {
    Drop,      // it is refused
    EarlyDrop  // the oldest flow that is not ASSURED gives way
};

// What finds flows by their keys (key_table.h).
enum class KeyIndexKind : uint8_t { Buckets, RteHash };

struct ConntrackSettings {
    uint32_t max = 262144;                       // flows, all workers together; fixed at start
    KeyIndexKind index = KeyIndexKind::Buckets;  // fixed at start
    bool tcp_loose = true;
    bool tcp_be_liberal = false;
    // By ingress port (Packet::in_port): set where the opposite holds.
    std::bitset<256> tcp_loose_exceptions, tcp_be_liberal_exceptions;
    bool tcp_ignore_invalid_rst = false;
    uint8_t tcp_max_retrans = 3;
    bool checksum = true;     // verify transport checksums of packets that enter
    bool accounting = false;  // packets and bytes per flow and direction
    bool counters = true;     // room for them; fixed at start
    bool ipv6 = true;         // its packets are tracked, else UNTRACKED; fixed at start
    bool timestamp = false;   // listings show when a flow began

    // What happens as the table fills; see docs/conntrack.md, "A full table".
    OnFull on_full = OnFull::EarlyDrop;
    uint8_t warn_at_percent = 0;  // 0: never
    uint8_t reserve_percent = 5;  // kept for flows of `essential` rules, if there are any
    bool has_essential_rules = false;
    uint16_t adaptive_start_percent = 0;  // timeouts shrink from here on, to nothing at the end;
    uint16_t adaptive_end_percent = 0;    // 0: never
    uint32_t max_per_source = 0;          // flows of one source address; 0: no limit
    uint8_t source_prefix4 = 32, source_prefix6 = 64;

    std::array<Tick, kTimeoutCount> timeouts = default_timeouts();

    bool is_loose(uint8_t in_port) const noexcept {
        return tcp_loose != tcp_loose_exceptions[in_port];
    }
    bool is_liberal(uint8_t in_port) const noexcept {
        return tcp_be_liberal != tcp_be_liberal_exceptions[in_port];
    }
    Tick timeout(TimeoutId id) const noexcept { return timeouts[static_cast<size_t>(id)]; }
};

}  // namespace rampart
