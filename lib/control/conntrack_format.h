// One flow as conntrack-tools 1.4.7 prints it, and as JSON.
//
// Existing scripts parse these lines, so they are byte for byte those of `conntrack -L`; the golden
// tests hold them. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/flow_list.h"
#include "control/json.h"

namespace rampart {

struct ConntrackFormat {
    bool extended = false;    // "ipv4     2 " in front
    bool id = false;          // "id=N" at the end
    bool accounting = false;  // packets and bytes are counted
};

// Without a newline.
std::string format_flow(const FlowEntry& entry, const ConntrackFormat& format);
Json flow_to_json(const FlowEntry& entry, const ConntrackFormat& format);

// "tcp", "icmpv6", ...; "unknown" for protocols that conntrack-tools has no name for.
std::string_view conntrack_protocol_name(uint8_t protocol) noexcept;
// Names of the status bits that users see, in the order of the bits.
std::vector<std::string_view> status_names(uint16_t status);
// Empty for protocols without states.
std::string_view state_name(const FlowEntry& entry) noexcept;

inline constexpr std::string_view kConntrackPrefix = "conntrack v1.4.7 (conntrack-tools): ";

}  // namespace rampart
