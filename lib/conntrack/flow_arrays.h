// FlowArrays: the records of a flow table's slots, one array per record, the same index in each.
//
//   flows        hot, worker              info       cold, SeqCell
//   links        worker; order of age     sweep_at   deadlines that control scans
//   accounting   only where flows are counted (FlowTableOptions::has_accounting), else null
//   forwarding   worker; routes and translation, and its cold part reply: only where ports are
//                routed (FlowTableOptions::has_ways), else null
//
// Allocated at start, zeroed; nothing afterwards. Owner: a FlowTable, whose rules say which thread
// may do what.
#pragma once

#include "base/seq_cell.h"
#include "conntrack/eviction_queue.h"
#include "conntrack/flow.h"
#include "conntrack/forwarding.h"

namespace rampart {

struct FlowArrays {
    FlowArrays() = default;
    ~FlowArrays();
    FlowArrays(const FlowArrays&) = delete;
    FlowArrays& operator=(const FlowArrays&) = delete;

    // Needs EAL. False: no memory.
    bool create(uint32_t slots, bool has_ways, bool has_accounting, int numa_node);
    static uint64_t bytes_for(uint32_t slots, bool has_ways,
                              bool has_accounting) noexcept;  // table_bytes.cc

    // Everything that a flow's beginning or end touches is on its way to the cache.
    void prefetch(FlowIndex index) const noexcept;
    // What a change of its timeout and rank touches.
    void prefetch_rank(FlowIndex index) const noexcept {
        __builtin_prefetch(&sweep_at[index], 1);
        __builtin_prefetch(&links[index], 1);
    }

    Flow* flows = nullptr;
    Forwarding* forwarding = nullptr;
    FlowAccounting* accounting = nullptr;
    SeqCell<FlowInfo>* info = nullptr;
    SeqCell<FlowReply>* reply = nullptr;
    Shared<Tick>* sweep_at = nullptr;  // worker: rw, control: ro
    EvictionLink* links = nullptr;     // of the one queue that a flow can be in
};

}  // namespace rampart
