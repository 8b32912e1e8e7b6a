// `conntrack`: the flow table with conntrack-tools' options, texts and exit codes.
#include <array>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/conntrack_format.h"
#include "control/controller.h"
#include "control/flow_filter.h"

namespace rampart {
namespace {

constexpr uint32_t kCommandTimeout_ms = 5000;
constexpr std::chrono::microseconds kFullMailboxWait{100};

struct Options {
    bool list = false, count = false, erase = false, flush = false, statistics = false;
    bool version = false, yes = false;
    std::string table = "conntrack";
    std::string output;
    FilterWords filter;
};

void add_options(ArgumentParser& parser, Options& options) {
    FilterWords& filter = options.filter;
    parser.flag("-L,--dump", options.list, "list flows");
    parser.flag("-C,--count", options.count, "count flows");
    parser.flag("-D,--delete", options.erase, "delete the flows that the filter names");
    parser.flag("-F,--flush", options.flush, "delete all flows");
    parser.flag("-S,--stats", options.statistics, "statistics of each worker");
    parser.flag("-V,--version", options.version, "the version whose texts these are");
    parser.flag("--yes", options.yes, "nothing is asked anyway");
    parser.option("table", options.table, "conntrack or expect");
    parser.option("-o,--output", options.output, "extended, id");
    parser.option("-f,--family", filter.family, "ipv4 or ipv6");
    parser.option("-p,--proto,--protonum", filter.protocol, "protocol, name or number");
    parser.option("-s,--src,--orig-src", filter.src, "source, or its prefix");
    parser.option("-d,--dst,--orig-dst", filter.dst, "destination, or its prefix");
    parser.option("-r,--reply-src", filter.reply_src, "source of replies");
    parser.option("-q,--reply-dst", filter.reply_dst, "destination of replies");
    parser.option("--sport,--orig-port-src", filter.sport, "source port");
    parser.option("--dport,--orig-port-dst", filter.dport, "destination port");
    parser.option("--reply-port-src", filter.reply_sport, "source port of replies");
    parser.option("--reply-port-dst", filter.reply_dport, "destination port of replies");
    parser.option("--icmp-type,--icmpv6-type", filter.icmp_type, "ICMP type");
    parser.option("--icmp-code,--icmpv6-code", filter.icmp_code, "ICMP code");
    parser.option("--icmp-id,--icmpv6-id", filter.icmp_id, "ICMP identifier");
    parser.option("--state", filter.state, "TCP state");
    parser.option("-u,--status", filter.status, "ASSURED, SEEN_REPLY, UNREPLIED, ... or !X");
    parser.option("-m,--mark", filter.mark, "mark");
    parser.option("-w,--zone", filter.zone, "zone");
    parser.option("-i,--id", filter.id, "id, as -o id prints it");
}

CommandOutput usage_error(const std::string& what) {
    return CommandOutput::failed(
        exit_code::kUsage,
        fmt::format("{}{}\nTry `conntrack -h' or 'conntrack --help' for more information.\n",
                    kConntrackPrefix, what));
}

std::string remark(const std::string& text) {
    return fmt::format("{}{}\n", kConntrackPrefix, text);
}

// False when a word of -o is not known.
bool read_output(const std::string& words, ConntrackFormat& format) {
    for (size_t at = 0; at < words.size();) {
        const size_t end = std::min(words.find(',', at), words.size());
        const std::string_view word = std::string_view(words).substr(at, end - at);
        if (word == "extended")
            format.extended = true;
        else if (word == "id")
            format.id = true;
        else if (word != "ktimestamp" && word != "timestamp" && word != "labels")
            return false;
        at = end + 1;
    }
    return true;
}

struct Call {
    Controller& controller;
    const Options& options;
    const FlowFilter& filter;
    ConntrackFormat format;
    bool json;
};

CommandOutput list(const Call& call) {
    CommandOutput output;
    output.result = Json::array();
    size_t shown = 0;
    for_each_flow(call.controller.datapath().workers(), call.controller.now().tick,
                  [&](const FlowEntry& entry) {
                      if (!call.filter.matches(entry)) return;
                      ++shown;
                      if (call.json) {
                          output.result.push_back(flow_to_json(entry, call.format));
                      } else {
                          output.out += format_flow(entry, call.format);
                          output.out += '\n';
                      }
                  });
    output.err = remark(fmt::format("{} flow entries have been shown.", shown));
    return output;
}

// Posts, waiting while the mailbox is full. False when the worker does not keep up.
bool post(Worker& worker, const Command& command) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(kCommandTimeout_ms);
    while (!worker.mailbox().post(command)) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(kFullMailboxWait);
    }
    return true;
}

CommandOutput wait_for_workers(const Call& call, CommandOutput output) {
    for (Worker* worker : call.controller.datapath().workers()) {
        if (!Datapath::wait_for_commands(*worker, kCommandTimeout_ms))
            return CommandOutput::failed(exit_code::kFailure,
                                         remark("the workers are too busy to do all of it now"));
    }
    return output;
}

CommandOutput erase(const Call& call) {
    if (call.filter.is_empty)
        return usage_error("-D needs at least one condition; -F deletes all flows");
    std::vector<FlowEntry> chosen;
    for_each_flow(call.controller.datapath().workers(), call.controller.now().tick,
                  [&](const FlowEntry& entry) {
                      if (call.filter.matches(entry)) chosen.push_back(entry);
                  });
    CommandOutput output;
    output.result = Json::array();
    for (const FlowEntry& entry : chosen) {
        Worker& worker = *call.controller.datapath().workers()[entry.worker];
        if (!post(worker, {Command::Kind::Erase, entry.index, entry.serial, 0})) break;
        if (call.json)
            output.result.push_back(flow_to_json(entry, call.format));
        else
            output.out += format_flow(entry, call.format) + '\n';
    }
    output.exit = chosen.empty() ? exit_code::kFailure : exit_code::kOk;
    output.err = remark(fmt::format("{} flow entries have been deleted.", chosen.size()));
    return wait_for_workers(call, std::move(output));
}

CommandOutput flush(const Call& call) {
    for (Worker* worker : call.controller.datapath().workers()) {
        for (uint32_t first = 0; first < worker->flows().capacity(); first += kEraseRangeSlots) {
            if (!post(*worker, {Command::Kind::EraseRange, first, kEraseRangeSlots, 0})) break;
        }
    }
    CommandOutput output;
    output.err = remark("connection tracking table has been emptied.");
    return wait_for_workers(call, std::move(output));
}

CommandOutput count(const Call& call) {
    CommandOutput output;
    const uint64_t flows = call.controller.datapath().flow_count();
    output.out = fmt::format("{}\n", flows);
    output.result = flows;
    return output;
}

CommandOutput statistics(const Call& call) {
    CommandOutput output;
    output.result = Json::array();
    for (const Worker* worker : call.controller.datapath().workers()) {
        const Totals totals = totals_of(worker->counters());
        const auto drops = [&](DropReason reason) {
            return totals.drops[static_cast<size_t>(reason)];
        };
        const Json values{{"found", 0},
                          {"invalid", totals.invalid_packets()},
                          {"insert", 0},
                          {"insert_failed", drops(DropReason::InsertFailed)},
                          {"drop", drops(DropReason::TableFull) + drops(DropReason::InsertFailed)},
                          {"early_drop", 0},
                          {"error", totals.icmp_error},
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

CommandOutput show_version(const Call&) {
    CommandOutput output;
    output.out = "conntrack v1.4.7 (conntrack-tools)\n";
    output.result = "1.4.7";
    return output;
}

// No helpers yet, so nothing is ever expected.
CommandOutput no_expectations(const Options& options) {
    CommandOutput output;
    output.result = Json::array();
    if (options.count) {
        output.out = "0\n";
        output.result = 0;
    } else if (options.list) {
        output.err = remark("0 expectations have been shown.");
    } else if (options.flush) {
        output.err = remark("expectation table has been emptied.");
    } else {
        return usage_error("this does not go with the table 'expect'");
    }
    return output;
}

}  // namespace

CommandOutput run_conntrack(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("The flow table, with the options of conntrack-tools.");
    Options options;
    add_options(parser, options);
    if (auto answer = parser.parse(request)) return *answer;

    struct Action {
        bool is_wanted;
        CommandOutput (*run)(const Call&);
    };
    const std::array<Action, 6> actions{{{options.list, list},
                                         {options.count, count},
                                         {options.erase, erase},
                                         {options.flush, flush},
                                         {options.statistics, statistics},
                                         {options.version, show_version}}};
    const Action* chosen = nullptr;
    for (const Action& action : actions) {
        if (!action.is_wanted) continue;
        if (chosen != nullptr) return usage_error("only one of -L -C -D -F -S -V at a time");
        chosen = &action;
    }
    if (chosen == nullptr) return usage_error("one of -L -C -D -F -S -V is needed");
    if (options.table == "expect") return no_expectations(options);
    if (options.table != "conntrack")
        return usage_error(fmt::format("table '{}' does not exist", options.table));
    ConntrackFormat format;
    if (!read_output(options.output, format))
        return usage_error(fmt::format("Bad parameter '{}'", options.output));
    const auto filter = make_filter(options.filter);
    if (!filter) return usage_error(filter.error().message);
    format.accounting = controller.publisher().current().conntrack.accounting;
    return chosen->run({controller, options, *filter, format, request.json});
}

}  // namespace rampart
