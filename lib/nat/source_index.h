// SourceIndex: the flows of each source, so that a source keeps its translated port.
//
// Netfilter's nat_bysource: flows by source address, source port and protocol. A new flow of a
// source that is translated already gets the same outside port where it can (an
// endpoint-independent mapping, RFC 4787, 4.1). Links stand in the flows' Forwarding, the newest
// first. Allocated at start. Owner: one worker.
#pragma once

#include <cstdint>
#include <vector>

#include "conntrack/flow_table.h"
#include "conntrack/keyed_hash.h"

namespace rampart {

class SourceIndex {
  public:
    // Control thread; `table` outlives it.
    SourceIndex(FlowTable& table, const KeyedHash& hash);

    void add(FlowIndex index, const Tuple& original) noexcept;
    // Of a flow that is not there as well.
    void remove(FlowIndex index) noexcept;

    // Calls `visit(index)` for the flows with this tuple's source until it returns true.
    template <typename Visit>
    bool any_of(const Tuple& tuple, Visit visit) const noexcept {
        for (FlowIndex at = heads_[bucket_of(tuple)]; at != kNoFlow;
             at = table_.forwarding(at).source_next) {
            if (has_source_of(at, tuple) && visit(at)) return true;
        }
        return false;
    }

  private:
    uint32_t bucket_of(const Tuple& tuple) const noexcept;
    bool has_source_of(FlowIndex index, const Tuple& tuple) const noexcept;

    FlowTable& table_;
    KeyedHash hash_;
    std::vector<FlowIndex> heads_;
};

}  // namespace rampart
