// MonitoringSample: the daemon's state at one moment, as plain values.
//
// Control takes it (sampler.h); afterwards nobody changes it, so that other threads can make texts
// of it: metrics (metric_families.h) or the status page's document (status_document.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conntrack/helper_names.h"
#include "conntrack/protocol_counts.h"
#include "control/change_log.h"
#include "control/monitoring/flow_census.h"
#include "control/monitoring/rate_history.h"
#include "control/nat_pools.h"
#include "control/stats.h"
#include "dpdk/port.h"
#include "rules/path_table.h"

namespace rampart {

struct RuleName {
    uint32_t chain = 0;  // of RuleCatalogue::chains
    std::string id;
    RuleIndex index = 0;
    RuleIndex suppressed_index = 0;  // of what `log` left out; 0: it logs nothing
};

// The names of one generation's rules.
struct RuleCatalogue {
    uint32_t generation = 0;
    uint32_t lineage = 0;  // generations of the same one number their rules the same way
    std::vector<std::string> chains;
    std::vector<RuleName> rules;  // in the order of the listing
};

struct PolicySample {
    std::string chain;
    std::string_view policy;
    RuleCount count;
};

// One of the rules with the most packets.
struct BusyRuleSample {
    std::string chain, id, text, comment;
    RuleCount count;
    double packets_per_s = 0;
    uint64_t last_hit_s = 0;  // wall clock; 0: never
};

struct QueueSample {
    uint64_t received_packets = 0;
    double packets_per_s = 0;
};

struct PortSample {
    std::string name;
    bool has_device = false;  // not so of a VLAN, which has only `totals`
    bool is_up = false;
    uint32_t speed_mbps = 0;
    PortTotals totals;
    PortStatistics lost;
    double received_per_s = 0, received_bytes_per_s = 0;
    double transmitted_per_s = 0, transmitted_bytes_per_s = 0;
    std::vector<QueueSample> queues;
};

struct WorkerSample {
    unsigned cpu = 0;
    double busy_ratio = 0;
    uint64_t busy_cycles = 0, idle_cycles = 0;
    uint32_t flows = 0, flows_max = 0;
    bool is_stuck = false;
};

struct SetSample {
    std::string name;
    uint64_t elements = 0, max = 0;
};

struct HelperSample {
    uint64_t expectations = 0;
    uint64_t packets = 0;
};

struct ProtocolSample {
    uint64_t begun = 0, ended = 0;
};

struct MonitoringSample {
    uint64_t wall_ms = 0;
    uint64_t uptime_s = 0;
    bool is_ready = false;
    uint32_t generation = 0;
    std::string config_path;
    Totals totals;
    uint64_t flows = 0, flows_max = 0;
    std::array<ProtocolSample, kTrackerCount> protocols{};
    std::shared_ptr<const FlowCounting> flows_by_state;  // null: not counted yet
    std::vector<PortSample> ports;
    std::vector<WorkerSample> workers;
    std::vector<PolicySample> policies;
    std::shared_ptr<const RuleCatalogue> rules;  // null: metrics do not tell of rules
    std::vector<RuleCount> rule_counts;          // by RuleIndex, with `rules`
    std::vector<uint64_t> rule_hits_s;           // by RuleIndex, with `rules`: the last, wall clock
    std::vector<BusyRuleSample> busy_rules;      // for the page, most packets first
    size_t rule_count = 0;
    std::vector<NatPools::Row> pools;
    std::vector<SetSample> sets;
    std::array<HelperSample, kHelperCount> helpers{};  // by helper_number
    uint64_t expectations_max = 0;
    uint32_t buffers_free = 0, buffers = 0;
    std::vector<ConfigChange> changes;  // newest first
    bool last_change_was_successful = true;
    int64_t last_success_ms = 0;
    std::vector<RateHistory::Second> history;  // for the page, oldest first
};

}  // namespace rampart
