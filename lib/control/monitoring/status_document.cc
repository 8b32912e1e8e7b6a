#include "control/monitoring/status_document.h"

#include <algorithm>
#include <cmath>

#include "control/json.h"

namespace rampart {
namespace {

// A thousandth is more than a page can show.
double rounded(double value) {
    return std::round(value * 1000) / 1000;
}

Json history_of(const MonitoringSample& sample) {
    Json rows = Json::array();
    for (const RateHistory::Second& second : sample.history)
        rows.push_back({second.wall_s, std::round(second.received), std::round(second.forwarded),
                        std::round(second.dropped), std::round(second.received_bytes),
                        std::round(second.transmitted_bytes), std::round(second.flows_new),
                        second.flows});
    return {{"columns",
             {"time", "received", "forwarded", "dropped", "received_bytes", "transmitted_bytes",
              "flows_new", "flows"}},
            {"seconds", RateHistory::kSeconds},
            {"rows", std::move(rows)}};
}

Json flows_of(const MonitoringSample& sample) {
    Json states = Json::array();
    if (sample.flows_by_state != nullptr) {
        for (size_t i = 0; i < kTrackerCount; ++i)
            for (size_t state = 0; state < FlowCounting::kStates; ++state) {
                const uint64_t flows = sample.flows_by_state->flows[i][state];
                if (flows == 0) continue;
                states.push_back({{"proto", counted_protocol(i)},
                                  {"state", counted_state(i, state)},
                                  {"flows", flows}});
            }
    }
    return {{"entries", sample.flows}, {"limit", sample.flows_max}, {"states", std::move(states)}};
}

Json drops_of(const MonitoringSample& sample) {
    Json list = Json::array();
    for (size_t i = 0; i < kDropReasonCount; ++i)
        if (sample.totals.drops[i] != 0)
            list.push_back({{"reason", kDropReasons[i].name},
                            {"meaning", kDropReasons[i].text},
                            {"packets", sample.totals.drops[i]}});
    std::sort(list.begin(), list.end(), [](const Json& left, const Json& right) {
        return left["packets"] > right["packets"];
    });
    return {{"total", sample.totals.dropped()}, {"reasons", std::move(list)}};
}

Json rules_of(const MonitoringSample& sample) {
    Json list = Json::array();
    for (const BusyRuleSample& rule : sample.busy_rules)
        list.push_back({{"chain", rule.chain},
                        {"id", rule.id},
                        {"text", rule.text},
                        {"comment", rule.comment},
                        {"packets", rule.count.packets},
                        {"bytes", rule.count.bytes},
                        {"packets_per_s", rounded(rule.packets_per_s)},
                        {"last_hit", rule.last_hit_s}});
    Json policies = Json::array();
    for (const PolicySample& policy : sample.policies)
        policies.push_back({{"chain", policy.chain},
                            {"policy", policy.policy},
                            {"packets", policy.count.packets}});
    return {{"count", sample.rule_count},
            {"busiest", std::move(list)},
            {"policies", std::move(policies)}};
}

Json ports_of(const MonitoringSample& sample) {
    Json list = Json::array();
    for (const PortSample& port : sample.ports) {
        Json json{{"name", port.name},
                  {"received_packets", port.totals.received_packets},
                  {"transmitted_packets", port.totals.transmitted_packets},
                  {"received_per_s", rounded(port.received_per_s)},
                  {"received_bytes_per_s", rounded(port.received_bytes_per_s)},
                  {"transmitted_per_s", rounded(port.transmitted_per_s)},
                  {"transmitted_bytes_per_s", rounded(port.transmitted_bytes_per_s)},
                  {"lost", port.totals.transmit_dropped}};
        if (port.has_device) {
            json["link"] = port.is_up;
            json["speed_mbps"] = port.speed_mbps;
            json["lost"] = port.lost.receive_missed + port.lost.receive_no_mbuf +
                           port.lost.receive_errors + port.lost.transmit_errors +
                           port.totals.transmit_dropped;
        }
        list.push_back(std::move(json));
    }
    return list;
}

Json workers_of(const MonitoringSample& sample) {
    Json list = Json::array();
    for (const WorkerSample& worker : sample.workers)
        list.push_back({{"cpu", worker.cpu},
                        {"busy_ratio", rounded(worker.busy_ratio)},
                        {"flows", worker.flows},
                        {"flows_max", worker.flows_max},
                        {"stuck", worker.is_stuck}});
    return list;
}

// What can become full.
Json tables_of(const MonitoringSample& sample) {
    Json list = Json::array();
    const auto add = [&](std::string_view kind, std::string_view name, uint64_t used,
                         uint64_t limit) {
        list.push_back({{"kind", kind}, {"name", name}, {"used", used}, {"limit", limit}});
    };
    add("flows", "", sample.flows, sample.flows_max);
    add("packet buffers", "", sample.buffers - std::min(sample.buffers, sample.buffers_free),
        sample.buffers);
    uint64_t expected = 0;
    for (const HelperSample& helper : sample.helpers)
        expected += helper.expectations;
    add("expectations", "", expected, sample.expectations_max);
    for (const NatPools::Row& pool : sample.pools)
        add("nat pool", pool.name, *std::max_element(pool.used.begin(), pool.used.end()),
            pool.ports);
    for (const SetSample& set : sample.sets)
        add("set", set.name, set.elements, set.max);
    return list;
}

Json changes_of(const MonitoringSample& sample) {
    Json list = Json::array();
    for (const ConfigChange& change : sample.changes)
        list.push_back({{"when_ms", change.when_ms},
                        {"how", change.how},
                        {"who", change.who},
                        {"path", change.path},
                        {"outcome", change.outcome},
                        {"generation", change.generation},
                        {"successful", change.is_successful}});
    return list;
}

}  // namespace

std::string status_document(const MonitoringSample& sample) {
    const Json document{{"version", RAMPART_VERSION},      {"now_ms", sample.wall_ms},
                        {"uptime_s", sample.uptime_s},     {"ready", sample.is_ready},
                        {"generation", sample.generation}, {"config", sample.config_path},
                        {"history", history_of(sample)},   {"flows", flows_of(sample)},
                        {"drops", drops_of(sample)},       {"rules", rules_of(sample)},
                        {"ports", ports_of(sample)},       {"workers", workers_of(sample)},
                        {"tables", tables_of(sample)},     {"changes", changes_of(sample)}};
    // Whatever bytes a comment may hold, the document is UTF-8.
    return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace rampart
