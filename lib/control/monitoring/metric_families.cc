#include "control/monitoring/metric_families.h"

#include <algorithm>
#include <prometheus/text_serializer.h>

#include <rte_version.h>

#include "control/monitoring/family_list.h"

namespace rampart {
namespace {

void add_conntrack(FamilyList& list, const MonitoringSample& sample) {
    list.gauge("rampart_conntrack_entries", "Flows in the connection table.");
    list.add(sample.flows);
    list.gauge("rampart_conntrack_entries_limit", "Flows that the connection table has room for.");
    list.add(sample.flows_max);
    const ConntrackTotals totals = conntrack_totals(sample.totals);
    const struct {
        const char *name, *help;
        uint64_t value;
    } stats[] = {
        {"found", "Always 0, for dashboards made for the kernel's tracking.", 0},
        {"invalid", "Packets that belong to no connection, ICMP errors aside.", totals.invalid},
        {"insert", "Always 0, as in the kernel; see rampart_conntrack_new_total.", 0},
        {"insert_failed", "Flows that the table refused: the packet was dropped.",
         totals.insert_failed},
        {"drop", "Packets dropped because their flow found no room.", totals.drop},
        {"early_drop", "Flows that gave way to new ones in a full table.", totals.early_drop},
        {"search_restart", "Always 0, for dashboards made for the kernel's tracking.", 0},
    };
    for (const auto& [name, help, value] : stats) {
        list.counter(std::string("rampart_conntrack_stat_") + name + "_total", help);
        list.add(value);
    }
    list.counter("rampart_conntrack_new_total", "Flows that began, by protocol.", {"proto"});
    for (size_t i = 0; i < kTrackerCount; ++i)
        list.add({counted_protocol(i)}, sample.protocols[i].begun);
    list.counter("rampart_conntrack_destroy_total", "Flows that ended, by protocol.", {"proto"});
    for (size_t i = 0; i < kTrackerCount; ++i)
        list.add({counted_protocol(i)}, sample.protocols[i].ended);
}

// Counted in the background; every known state, so that none comes and goes.
void add_flows(FamilyList& list, const MonitoringSample& sample) {
    list.gauge("rampart_conntrack_flows",
               "Flows by protocol and state, counted in the background over some seconds.",
               {"proto", "state"});
    if (sample.flows_by_state == nullptr) return;
    for (size_t i = 0; i < kTrackerCount; ++i) {
        for (size_t state = 0; state < FlowCounting::kStates; ++state) {
            const std::string_view name = counted_state(i, state);
            if (!name.empty())
                list.add({counted_protocol(i), name}, sample.flows_by_state->flows[i][state]);
        }
    }
}

void add_drops(FamilyList& list, const MonitoringSample& sample) {
    list.counter("rampart_drops_total",
                 "Dropped packets by reason. Every packet that is not passed on is in it once.",
                 {"reason"});
    for (size_t i = 0; i < kDropReasonCount; ++i)
        list.add({kDropReasons[i].name}, sample.totals.drops[i]);
    list.counter("rampart_invalid_total", "Packets of state invalid, by reason.", {"reason"});
    for (size_t i = 1; i < kInvalidReasonCount; ++i)
        list.add({kInvalidReasons[i].name}, sample.totals.invalid[i]);
}

void add_rules(FamilyList& list, const MonitoringSample& sample) {
    list.counter("rampart_chain_policy_packets_total", "Packets that a chain's policy decided.",
                 {"chain", "policy"});
    for (const PolicySample& policy : sample.policies)
        list.add({policy.chain, policy.policy}, policy.count.packets);
    if (sample.rules == nullptr) return;
    const auto for_each = [&](auto visit) {
        for (const RuleName& rule : sample.rules->rules)
            visit(rule, sample.rules->chains[rule.chain]);
    };
    list.counter("rampart_rule_packets_total", "Packets that a rule matched.", {"chain", "rule"});
    for_each([&](const RuleName& rule, const std::string& chain) {
        list.add({chain, rule.id}, sample.rule_counts[rule.index].packets);
    });
    list.counter("rampart_rule_bytes_total", "Their bytes, from the IP header on.",
                 {"chain", "rule"});
    for_each([&](const RuleName& rule, const std::string& chain) {
        list.add({chain, rule.id}, sample.rule_counts[rule.index].bytes);
    });
    list.gauge("rampart_rule_last_hit_timestamp_seconds",
               "When a rule last matched a packet, to a second; 0: not since the start.",
               {"chain", "rule"});
    for_each([&](const RuleName& rule, const std::string& chain) {
        list.add({chain, rule.id}, sample.rule_hits_s[rule.index]);
    });
    list.counter("rampart_log_suppressed_total",
                 "Packets that a rule did not log because of its rate.", {"rule"});
    for_each([&](const RuleName& rule, const std::string&) {
        if (rule.suppressed_index != 0)
            list.add({rule.id}, sample.rule_counts[rule.suppressed_index].packets);
    });
}

struct PortMetric {
    const char *name, *help;
    uint64_t (*read)(const PortSample& port);
    bool needs_device;
};
constexpr PortMetric kPortMetrics[] = {
    {"receive_packets", "Packets received.",
     [](const PortSample& port) { return port.totals.received_packets; }, false},
    {"receive_bytes", "Bytes of received frames, without FCS.",
     [](const PortSample& port) { return port.totals.received_bytes; }, false},
    {"receive_errors", "Frames that the NIC received with an error.",
     [](const PortSample& port) { return port.lost.receive_errors; }, true},
    {"receive_drop", "Frames for which the NIC had no room, or there was no packet buffer.",
     [](const PortSample& port) { return port.lost.receive_missed + port.lost.receive_no_mbuf; },
     true},
    {"transmit_packets", "Packets sent.",
     [](const PortSample& port) { return port.totals.transmitted_packets; }, false},
    {"transmit_bytes", "Bytes of sent frames, without FCS.",
     [](const PortSample& port) { return port.totals.transmitted_bytes; }, false},
    {"transmit_errors", "Frames that the NIC failed to send.",
     [](const PortSample& port) { return port.lost.transmit_errors; }, true},
    {"transmit_drop", "Packets that the NIC's queue took no more.",
     [](const PortSample& port) { return port.totals.transmit_dropped; }, false},
};

void add_ports(FamilyList& list, const MonitoringSample& sample) {
    for (const PortMetric& metric : kPortMetrics) {
        list.counter(std::string("rampart_port_") + metric.name + "_total", metric.help, {"port"});
        for (const PortSample& port : sample.ports)
            if (port.has_device || !metric.needs_device) list.add({port.name}, metric.read(port));
    }
    list.gauge("rampart_port_up", "Whether the port has a link.", {"port"});
    for (const PortSample& port : sample.ports)
        if (port.has_device) list.add({port.name}, port.is_up);
    const auto for_each = [&](auto visit) {
        for (const PortSample& port : sample.ports)
            for (size_t queue = 0; queue < port.queues.size(); ++queue)
                visit(port, std::to_string(queue), port.queues[queue]);
    };
    list.counter("rampart_queue_receive_packets_total", "Packets received, by queue.",
                 {"port", "queue"});
    for_each([&](const PortSample& port, const std::string& number, const QueueSample& queue) {
        list.add({port.name, number}, queue.received_packets);
    });
    list.gauge("rampart_queue_imbalance_ratio",
               "Packets of a queue in the last second by the mean of its port's queues; 1: its "
               "fair share, or an idle port.",
               {"port", "queue"});
    for_each([&](const PortSample& port, const std::string& number, const QueueSample& queue) {
        const double mean = port.received_per_s / static_cast<double>(port.queues.size());
        list.add({port.name, number}, mean > 0 ? queue.packets_per_s / mean : 1.0);
    });
}

void add_workers(FamilyList& list, const MonitoringSample& sample) {
    list.gauge("rampart_worker_busy_ratio",
               "Share of a worker's cycles in which it found packets, in the last second.",
               {"worker"});
    for (size_t i = 0; i < sample.workers.size(); ++i)
        list.add({std::to_string(i)}, sample.workers[i].busy_ratio);
    list.counter("rampart_worker_cycles_total", "Cycles of a worker.", {"worker", "kind"});
    for (size_t i = 0; i < sample.workers.size(); ++i) {
        list.add({std::to_string(i), "busy"}, sample.workers[i].busy_cycles);
        list.add({std::to_string(i), "idle"}, sample.workers[i].idle_cycles);
    }
    list.gauge("rampart_worker_stuck", "Whether a worker does not come to the end of its loop.",
               {"worker"});
    for (size_t i = 0; i < sample.workers.size(); ++i)
        list.add({std::to_string(i)}, sample.workers[i].is_stuck);
}

void add_tables(FamilyList& list, const MonitoringSample& sample) {
    list.gauge("rampart_nat_pool_ports",
               "Addresses and ports of a pool, for each protocol; absent: too many to count.",
               {"pool"});
    for (const NatPools::Row& pool : sample.pools)
        if (pool.ports != 0) list.add({pool.name}, pool.ports);
    list.gauge("rampart_nat_pool_ports_used",
               "How many are in use, of the protocol that uses the most.", {"pool"});
    for (const NatPools::Row& pool : sample.pools)
        list.add({pool.name}, *std::max_element(pool.used.begin(), pool.used.end()));
    list.counter("rampart_nat_alloc_failed_total",
                 "Packets for which nothing in the pool was free.", {"pool"});
    for (const NatPools::Row& pool : sample.pools)
        list.add({pool.name}, pool.failed);
    list.gauge("rampart_set_elements", "Elements of a set.", {"set"});
    for (const SetSample& set : sample.sets)
        list.add({set.name}, set.elements);
    list.gauge("rampart_set_elements_limit", "Elements that a set has room for.", {"set"});
    for (const SetSample& set : sample.sets)
        list.add({set.name}, set.max);
    list.gauge("rampart_helper_expectations", "Connections that a helper expects.", {"helper"});
    for (uint8_t helper = 1; helper < kHelperCount; ++helper)
        list.add({kHelperNames[helper]}, sample.helpers[helper].expectations);
    list.counter("rampart_helper_packets_total", "Packets that a helper has read.", {"helper"});
    for (uint8_t helper = 1; helper < kHelperCount; ++helper)
        list.add({kHelperNames[helper]}, sample.helpers[helper].packets);
    list.gauge("rampart_mbuf_free_ratio", "Share of the packet buffers that is free.", {"pool"});
    if (sample.buffers != 0)
        list.add({"packets"},
                 static_cast<double>(sample.buffers_free) / static_cast<double>(sample.buffers));
}

void add_daemon(FamilyList& list, const MonitoringSample& sample) {
    list.gauge("rampart_config_generation", "Number of the configuration that is active.");
    list.add(sample.generation);
    list.gauge("rampart_config_last_reload_successful",
               "Whether the last attempt to change the configuration succeeded.");
    list.add(sample.last_change_was_successful);
    list.gauge("rampart_config_last_reload_success_timestamp_seconds",
               "When a configuration was last made active.");
    list.add(static_cast<double>(sample.last_success_ms) / 1000);
    list.gauge("rampart_ready", "Whether every worker uses the active configuration.");
    list.add(sample.is_ready);
    list.gauge("rampart_build_info", "Always 1; what is running.", {"version", "dpdk"});
    list.add({RAMPART_VERSION, rte_version()}, 1);
}

}  // namespace

std::vector<prometheus::MetricFamily> metric_families(const MonitoringSample& sample) {
    FamilyList list;
    add_conntrack(list, sample);
    add_flows(list, sample);
    add_drops(list, sample);
    add_rules(list, sample);
    add_ports(list, sample);
    add_workers(list, sample);
    add_tables(list, sample);
    add_daemon(list, sample);
    return list.take();
}

std::string metrics_text(const MonitoringSample& sample) {
    return prometheus::TextSerializer().Serialize(metric_families(sample));
}

}  // namespace rampart
