// `status`: whether the firewall is ready, and a summary. Exit 0 exactly when it is.
#include <fmt/format.h>

#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {
namespace {

std::string_view to_string(SteeringMode mode) noexcept {
    switch (mode) {
        case SteeringMode::Single:
            return "single";
        case SteeringMode::Software:
            return "software";
        case SteeringMode::Hardware:
            return "hardware";
    }
    return "";
}

// Only when there is something to know: that what runs is not what a start begins with.
std::string configuration_lines(const ConfigTransaction& transaction) {
    if (transaction.store() == nullptr)
        return fmt::format("no history of configurations: {}\n", transaction.why_no_store());
    if (const PendingConfirmation* pending = transaction.pending())
        return fmt::format("configuration {} waits for confirmation, {} s left; then {} again\n",
                           pending->entry, transaction.time_left_s(), pending->previous);
    if (transaction.running_entry() != transaction.startup_entry())
        return fmt::format("configuration {} runs, a start begins with {}\n",
                           transaction.running_entry(), transaction.startup_entry());
    return {};
}

std::string changed_rules_line(const Ruleset& ruleset) {
    if (ruleset.changes == 0) return {};
    return fmt::format("{} rules added or removed at run time\n", ruleset.changes);
}

std::string stuck_lines(const std::vector<WorkerGuard::Stuck>& list) {
    std::string lines;
    for (const WorkerGuard::Stuck& stuck : list)
        lines += fmt::format("worker {} (CPU {}) is stuck: it has not {} for {} ms\n", stuck.worker,
                             stuck.cpu, stuck.is_spinning ? "ended its loop" : "run", stuck.for_ms);
    return lines;
}

std::string_view to_string(IpfixSettings::Transport transport) noexcept {
    return transport == IpfixSettings::Transport::Tcp ? "tcp" : "udp";
}

std::string ipfix_line(const FlowExporter* exporter) {
    if (exporter == nullptr) return {};
    const FlowExporter::Counts& counts = exporter->counts();
    return fmt::format("ipfix to {} ({}): {} records in {} messages, {} lost{}{}\n",
                       exporter->collector(), to_string(exporter->settings().transport),
                       counts.records, counts.messages, counts.lost + counts.lost_events,
                       exporter->problem().empty() ? "" : "; ", exporter->problem());
}

Json ipfix_to_json(const FlowExporter& exporter) {
    const FlowExporter::Counts& counts = exporter.counts();
    return {{"collector", exporter.collector()},
            {"transport", to_string(exporter.settings().transport)},
            {"up", exporter.is_up()},
            {"problem", exporter.problem()},
            {"records", counts.records},
            {"messages", counts.messages},
            {"lost", counts.lost},
            {"lost_events", counts.lost_events}};
}

Json configuration_to_json(const ConfigTransaction& transaction) {
    Json json{{"running", transaction.running_entry()}, {"startup", transaction.startup_entry()}};
    if (const PendingConfirmation* pending = transaction.pending())
        json["pending"] = {{"entry", pending->entry},
                           {"previous", pending->previous},
                           {"left_s", transaction.time_left_s()}};
    return json;
}

}  // namespace

CommandOutput run_status(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Whether the firewall is ready, and a summary.");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    const bool is_ready = controller.is_ready();
    Datapath& datapath = controller.datapath();
    const Snapshot& snapshot = controller.publisher().current();
    const uint64_t uptime_s = controller.now().ns / 1'000'000'000;
    const PacketPool& pool = datapath.pool();

    const std::vector<WorkerGuard::Stuck> stuck = controller.worker_guard().stuck();
    Json stuck_workers = Json::array();
    for (const WorkerGuard::Stuck& worker : stuck)
        stuck_workers.push_back({{"worker", worker.worker}, {"for_ms", worker.for_ms}});

    CommandOutput output;
    output.exit = is_ready ? exit_code::kOk : exit_code::kFailure;
    Json ports = Json::array();
    std::string port_lines;
    for (const auto& port : datapath.ports()) {
        const bool is_up = port->is_link_up();
        ports.push_back({{"name", port->name()}, {"device", port->device()}, {"link", is_up}});
        port_lines +=
            fmt::format("  {:<16} {:<5} {}\n", port->name(), is_up ? "up" : "down", port->device());
    }
    output.result = {{"ready", is_ready},
                     {"generation", snapshot.generation},
                     {"version", RAMPART_VERSION},
                     {"config", controller.config_path()},
                     {"configuration", configuration_to_json(controller.transaction())},
                     {"rules_changed", snapshot.ruleset.changes},
                     {"uptime_s", uptime_s},
                     {"workers", datapath.workers().size()},
                     {"stuck_workers", std::move(stuck_workers)},
                     {"steering", to_string(datapath.steering().mode())},
                     {"flows", datapath.flow_count()},
                     {"flows_max", snapshot.conntrack.max},
                     {"fill_percent", controller.fill_watch().fill_percent()},
                     {"fill_warning", controller.fill_watch().is_above()},
                     {"mbufs_free", pool.available()},
                     {"mbufs", pool.size()},
                     {"ports", std::move(ports)}};
    const FlowExporter* exporter = controller.flow_exporter();
    if (exporter != nullptr) output.result["ipfix"] = ipfix_to_json(*exporter);
    output.out = fmt::format(
        "{}, generation {}, up {} s, {}\n"
        "{}{}{}"
        "workers {} ({} steering), flows {} of {}, packet buffers {} of {} free\n"
        "{}ports\n{}",
        is_ready ? "ready" : "not ready", snapshot.generation, uptime_s, controller.config_path(),
        configuration_lines(controller.transaction()), changed_rules_line(snapshot.ruleset),
        stuck_lines(stuck), datapath.workers().size(), to_string(datapath.steering().mode()),
        datapath.flow_count(), snapshot.conntrack.max, pool.available(), pool.size(),
        ipfix_line(exporter), port_lines);
    return output;
}

}  // namespace rampart
