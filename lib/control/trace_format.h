// Trace format: one traced packet as text, a line per stage, and as JSON. Pure functions.
//
// The words are those of the stages (docs/packet-path.md), of the drop reasons and of
// `rampartctl test`.
#pragma once

#include <string>

#include "control/json.h"
#include "dataplane/packet_trace.h"
#include "rules/ruleset.h"

namespace rampart {

// `ruleset` is that of the record's generation; null when it is gone: rules are then numbers.
std::string trace_text(const TraceRecord& record, const Ruleset* ruleset, const Names& names);
// What the packet is: its tuple, flags and lengths, or the EtherType.
std::string frame_line(const TraceRecord& record);
// "14:05:59.123456", local time.
std::string time_text(uint64_t wall_ns);
Json trace_json(const TraceRecord& record, const Ruleset* ruleset, const Names& names);

}  // namespace rampart
