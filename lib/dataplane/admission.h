// Admission: may a new flow enter the table, and who gives way to it when the table is full?
//
// In the order in which netfilter asks: a full table with nobody to give way refuses before the
// rules are asked; one that can make room does so only for a packet that they let through, so that
// refused packets cost nobody an entry. Flows of `essential` rules have a share of their own and
// never give way. Worker only.
#pragma once

#include "dataplane/context.h"

namespace rampart {

// Before the rules: is there any way in?
bool may_enter(const WorkerContext& context) noexcept;

enum class Admission : uint8_t { Admitted, TableFull, SourceLimit };

// After the rules have accepted the first packet: makes room and counts the source, which is noted
// in `info`. After anything but Admitted nothing has changed but for an evicted flow.
Admission admit(WorkerContext& context, FlowInfo& info, bool is_essential) noexcept;

// How much of each timeout is left at this fill level, in 256ths.
uint32_t timeout_scale(const ConntrackSettings& settings, const FlowTable& flows) noexcept;

// A tracker's timeout as the fill level allows it, at least one tick.
inline Tick adapted(Tick timeout, const WorkerContext& context) noexcept {
    if (context.timeout_scale == kFullTimeouts) [[likely]]
        return timeout;
    const uint64_t scaled = uint64_t{timeout} * context.timeout_scale / kFullTimeouts;
    return scaled == 0 ? 1 : static_cast<Tick>(scaled);
}

}  // namespace rampart
