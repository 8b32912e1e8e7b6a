// ConntrackOptions: the command line of `conntrack`, understood and checked.
//
// The options, their abbreviations, which of them go with which command, and the texts about
// mistakes are those of conntrack-tools 1.4.7. What it would silently take for zero (`--sport x`)
// is refused here. Parsing is done by getopt_long(), which has global state: control thread only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/api_protocol.h"
#include "control/conntrack_format.h"
#include "control/flow_filter.h"

namespace rampart {

enum class ConntrackCommand : uint8_t {
    None,
    List,
    Get,
    Delete,
    Flush,
    Count,
    Statistics,
    Events,
    Version,
    Help,
};

enum class ConntrackTable : uint8_t { Conntrack, Expect, Dying, Unconfirmed };

namespace conntrack_event {
inline constexpr uint8_t kNew = 1, kUpdate = 2, kDestroy = 4, kAll = 7;
}

struct ConntrackOptions {
    ConntrackCommand command = ConntrackCommand::None;
    ConntrackTable table = ConntrackTable::Conntrack;
    ConntrackFormat format;
    FlowFilter filter;
    bool has_filter = false;  // any option that selects flows
    bool zero = false;        // -z
    uint8_t events = conntrack_event::kAll;
    std::string remarks;  // for stderr, before anything else
    // -u names only what cannot be asked for: the kernel would refuse it, so does the command.
    bool has_unusable_status = false;
};

tl::expected<ConntrackOptions, CommandOutput> parse_conntrack_options(
    const std::vector<std::string>& arguments);

// "conntrack v...: TEXT" and the hint at -h; exit status 2.
CommandOutput conntrack_usage_error(const std::string& text);
// "conntrack v...: TEXT\n"
std::string conntrack_remark(const std::string& text);

}  // namespace rampart
