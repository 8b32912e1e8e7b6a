// Chronicle: writes a worker's journal, from the places of the packet path where something happens
// to a flow.
//
// All functions return at once when nobody listens. At most one record per packet and flow, as in
// netfilter (nf_conntrack_ecache.c). Owner: one worker.
#pragma once

#include "dataplane/burst.h"
#include "dataplane/context.h"

namespace rampart {

// A flow was confirmed. Those erased before it are told first.
void chronicle_new(WorkerContext& context, FlowIndex index) noexcept;
// After a packet: whether the status or the state is not what it was.
void chronicle_update(WorkerContext& context, FlowIndex index, uint16_t status_before,
                      uint8_t state_before) noexcept;
// Flows erased since the last end_burst(); before the next one.
void chronicle_erased(WorkerContext& context) noexcept;
// Takes the flows off the list of the erased, and their slots are free again.
void end_burst(WorkerContext& context) noexcept;
// An INVALID packet, within the rate that the configuration allows.
void chronicle_invalid(WorkerContext& context, const Packet& packet) noexcept;

}  // namespace rampart
