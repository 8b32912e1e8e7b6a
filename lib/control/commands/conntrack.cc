// `conntrack`: the flow table with conntrack-tools' options, texts and exit codes.
#include <fmt/format.h>

#include "control/commands/conntrack_parts.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {
namespace {

CommandOutput count(Controller& controller) {
    CommandOutput output;
    const uint64_t flows = controller.datapath().flow_count();
    output.out = fmt::format("{}\n", flows);
    output.result = flows;
    return output;
}

CommandOutput statistics(Controller& controller) {
    CommandOutput output;
    output.result = Json::array();
    for (const Worker* worker : controller.datapath().workers()) {
        const ConntrackTotals totals = conntrack_totals(totals_of(worker->counters()));
        const Json values{{"found", 0},
                          {"invalid", totals.invalid},
                          {"insert", 0},
                          {"insert_failed", totals.insert_failed},
                          {"drop", totals.drop},
                          {"early_drop", totals.early_drop},
                          {"error", totals.error},
                          {"search_restart", 0},
                          {"clash_resolve", 0},
                          {"chaintoolong", 0}};
        output.out += fmt::format("cpu={:<4}\t", worker->index());
        for (const auto& [name, value] : values.items())
            output.out += fmt::format("{}={} ", name, value.get<uint64_t>());
        output.out += '\n';
        output.result.push_back(values);
    }
    return output;
}

CommandOutput show_version() {
    CommandOutput output;
    output.out = "conntrack v1.4.7 (conntrack-tools)\n";
    output.result = "1.4.7";
    return output;
}

CommandOutput show_help() {
    CommandOutput output;
    output.out = conntrack_help();
    output.result = output.out;
    return output;
}

// No flow is ever dying or unconfirmed between two bursts.
CommandOutput empty_table(const ConntrackOptions& options) {
    const bool is_expect = options.table == ConntrackTable::Expect;
    CommandOutput output;
    output.result = Json::array();
    switch (options.command) {
        case ConntrackCommand::Count:
            output.out = "0\n";
            output.result = 0;
            break;
        case ConntrackCommand::List:
            output.err = conntrack_remark(is_expect ? "0 expectations have been shown."
                                                    : "0 flow entries have been shown.");
            break;
        case ConntrackCommand::Flush:
            output.err = conntrack_remark("expectation table has been emptied.");
            break;
        case ConntrackCommand::Get:
        case ConntrackCommand::Delete:
            output = CommandOutput::failed(
                exit_code::kFailure,
                conntrack_remark("Operation failed: such conntrack doesn't exist"));
            break;
        default:
            return conntrack_usage_error("this does not go with the table 'expect'");
    }
    return output;
}

CommandOutput run(ConntrackCall call) {
    ConntrackOptions& options = call.options;
    switch (options.command) {
        case ConntrackCommand::None:
        case ConntrackCommand::Help:
            return show_help();
        case ConntrackCommand::Version:
            return show_version();
        default:
            break;
    }
    if (options.has_unusable_status)
        return CommandOutput::failed(exit_code::kFailure,
                                     conntrack_remark("Operation failed: invalid parameters"));
    if (options.command == ConntrackCommand::Events) return conntrack_events(std::move(call));
    const bool is_read =
        options.command == ConntrackCommand::List || options.command == ConntrackCommand::Count;
    if (options.table == ConntrackTable::Expect && is_read)
        return conntrack_expect(std::move(call));
    if (options.table != ConntrackTable::Conntrack) return empty_table(options);
    switch (options.command) {
        case ConntrackCommand::List:
            return conntrack_list(std::move(call));
        case ConntrackCommand::Get:
            return conntrack_get(std::move(call));
        case ConntrackCommand::Delete:
            return conntrack_delete(std::move(call));
        case ConntrackCommand::Flush:
            return conntrack_flush(std::move(call));
        case ConntrackCommand::Count:
            return count(call.controller);
        case ConntrackCommand::Statistics:
            return statistics(call.controller);
        default:
            return show_help();
    }
}

}  // namespace

CommandOutput run_conntrack(const ApiRequest& request, Controller& controller) {
    if (!request.arguments.empty() && request.arguments[0] == "settings")
        return conntrack_settings(controller);
    auto options = parse_conntrack_options(request.arguments);
    if (!options) return std::move(options.error());
    const ConntrackSettings& settings = controller.publisher().current().conntrack;
    options->format.accounting = settings.accounting;
    options->format.has_start = settings.timestamp;
    const std::string remarks = options->remarks;
    CommandOutput output = run({std::move(*options), controller, request.json});
    output.err.insert(0, remarks);
    return output;
}

}  // namespace rampart
