// `nat`: what sources are translated to and how much of it is used; ports that nobody gets.
#include <fmt/format.h>

#include "base/join.h"
#include "control/commands/arguments.h"
#include "control/commands/verbs.h"
#include "control/controller.h"

namespace rampart {
namespace {

std::string percent_of(const NatPools::Row& row) {
    return row.ports == 0 ? "-" : fmt::format("{}%", row.used_percent());
}

std::string to_text(const std::vector<NatPools::Row>& rows) {
    std::string text = fmt::format("{:<40} {:>10} {:>9} {:>9} {:>9} {:>6} {:>9}\n", "pool", "ports",
                                   "tcp", "udp", "other", "used", "failed");
    for (const NatPools::Row& row : rows)
        text += fmt::format("{:<40} {:>10} {:>9} {:>9} {:>9} {:>6} {:>9}\n", row.name,
                            row.ports == 0 ? "-" : std::to_string(row.ports), row.used[0],
                            row.used[1], row.used[2], percent_of(row), row.failed);
    return text;
}

Json to_json(const std::vector<NatPools::Row>& rows) {
    Json pools = Json::array();
    for (const NatPools::Row& row : rows) {
        Json pool{{"pool", row.name},
                  {"tcp", row.used[0]},
                  {"udp", row.used[1]},
                  {"other", row.used[2]},
                  {"failed", row.failed}};
        if (row.ports != 0) {
            pool["ports"] = row.ports;
            pool["used_percent"] = row.used_percent();
        }
        pools.push_back(std::move(pool));
    }
    return {{"pools", std::move(pools)}};
}

CommandOutput run_pools(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("What sources are translated to, and the flows that use it.");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    const std::vector<NatPools::Row> rows = controller.nat_pools().rows();
    CommandOutput output;
    if (request.json)
        output.result = to_json(rows);
    else
        output.out = to_text(rows);
    return output;
}

struct Run {
    size_t first, last;
};

std::vector<Run> runs_of(const PortSet& ports) {
    std::vector<Run> runs;
    for (size_t port = ports._Find_first(); port < ports.size(); port = ports._Find_next(port)) {
        if (!runs.empty() && runs.back().last + 1 == port)
            runs.back().last = port;
        else
            runs.push_back({port, port});
    }
    return runs;
}

std::vector<std::string> words_of(const PortSet& ports) {
    std::vector<std::string> words;
    for (const Run& run : runs_of(ports))
        words.push_back(run.first == run.last ? std::to_string(run.first)
                                              : fmt::format("{}-{}", run.first, run.last));
    return words;
}

CommandOutput run_reserved(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Ports that no source is translated to: the box serves them itself.");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    const PortWatch& watch = controller.port_watch();
    const struct {
        std::string_view why, protocol;
        const PortSet& ports;
    } kinds[] = {{"listening", "tcp", watch.listening().tcp},
                 {"listening", "udp", watch.listening().udp},
                 {"forwarded", "tcp", watch.forwarded().tcp},
                 {"forwarded", "udp", watch.forwarded().udp}};
    CommandOutput output;
    for (const auto& [why, protocol, ports] : kinds) {
        const std::vector<std::string> words = words_of(ports);
        if (request.json)
            output.result[std::string(why)][std::string(protocol)] = words;
        else
            output.out += fmt::format("{} {}: {}\n", why, protocol,
                                      words.empty() ? "none" : join(words, " "));
    }
    return output;
}

constexpr CommandVerb kVerbs[] = {
    {"pools", run_pools, "pools: what sources are translated to, and how much of it is used"},
    {"reserved", run_reserved, "reserved: ports that no source is translated to"},
};

}  // namespace

CommandOutput run_nat(const ApiRequest& request, Controller& controller) {
    return run_verb(request, controller, kVerbs, "Address translation: pools and ports.", "pools");
}

}  // namespace rampart
