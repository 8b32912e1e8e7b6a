// FlowTableOptions: what a FlowTable is made from. Value type, control thread, before the workers
// run.
#pragma once

#include <cstdint>
#include <string>

#include "conntrack/flow_arrays.h"
#include "conntrack/keyed_hash.h"
#include "conntrack/settings.h"
#include "conntrack/source_counts.h"

namespace rampart {

struct FlowTableOptions {
    std::string name;                 // of the hashes inside DPDK; unique in the process
    uint32_t capacity = 0;            // flows
    uint32_t keys_per_flow = 1;       // 2 when all may be translated
    uint32_t foreign_keys = 0;        // of flows of other workers
    bool has_ways = true;             // routes and translation; false: no port is routed
    bool has_accounting = true;       // packets and bytes
    bool has_ipv6 = true;             // false: no packet of IPv6 is tracked
    SourceCounts* sources = nullptr;  // shared by all tables; null: nothing is counted
    int numa_node = -1;
    KeyedHash hash = KeyedHash::from_seed(0);
    KeyIndexKind index = KeyIndexKind::Buckets;

    FlowArrays::Parts parts() const noexcept {
        return {.ways = has_ways, .accounting = has_accounting, .ipv6 = has_ipv6};
    }
};

}  // namespace rampart
