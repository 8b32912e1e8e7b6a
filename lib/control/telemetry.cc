#include "control/telemetry.h"

#include <mutex>

#include <fmt/format.h>
#include <rte_telemetry.h>
#include <spdlog/spdlog.h>

#include "base/diagnostics.h"
#include "base/scalar.h"
#include "control/commands/registry.h"
#include "control/controller.h"
#include "control/telemetry_data.h"

namespace rampart {
namespace {

std::mutex present_mutex;  // held while a thread of DPDK is being answered
Telemetry* present = nullptr;

using Words = std::vector<std::string>;

// As `rampartctl COMMAND --json` answers.
Json ask(Controller& controller, std::string command, Words arguments = {}) {
    ApiRequest request;
    request.command = std::move(command);
    request.arguments = std::move(arguments);
    request.json = true;
    return run_command(request, controller).result;
}

size_t number_in(const Words& parameters, size_t place) {
    if (place >= parameters.size()) return 0;
    return parse_decimal(parameters[place], UINT32_MAX).value_or(0);
}

Json info(Controller& controller, const Words&) {
    Json json = ask(controller, "status");
    json["dpdk"] = ask(controller, "version")["dpdk"];
    json["ports"] = page_of(json["ports"], "name", 0);
    json.erase("stuck_workers");
    json["stuck_workers"] = controller.worker_guard().stuck().size();
    return json;
}

Json drops(Controller& controller, const Words&) {
    Json json = Json::object();
    const Json answer = ask(controller, "drops");
    for (const Json& drop : answer["drops"])
        json[drop["reason"].get<std::string>()] = drop["packets"];
    return json;
}

// All chains, without their rules.
Json chains(const Ruleset& ruleset, const std::vector<RuleCount>& counts) {
    Json json = Json::object();
    for (const Chain& chain : ruleset.chains) {
        Json& item = json[telemetry_name(chain.name)];
        item["rules"] = chain.rules.size();
        if (chain.policy == Policy::None) continue;
        item["policy"] = chain.policy == Policy::Accept ? "accept" : "drop";
        item["policy_packets"] = counts[chain.policy_index].packets;
        item["policy_bytes"] = counts[chain.policy_index].bytes;
    }
    return json;
}

// /rampart/rules,CHAIN,FIRST: one entry per rule in each of two dictionaries, because an entry of
// its own for each would be fifty times as large.
Json rules(Controller& controller, const Words& parameters) {
    const Snapshot& snapshot = controller.publisher().current();
    const std::vector<RuleCount> counts = controller.publisher().counts();
    Json json{{"generation", snapshot.generation}};
    if (parameters.empty()) {
        json["chains"] = chains(snapshot.ruleset, counts);
        return json;
    }
    const int chosen = snapshot.ruleset.names.find_chain(parameters[0]);
    if (chosen < 0) {
        json["error"] = "no chain " + rampart::quoted(parameters[0]);
        return json;
    }
    const Chain& chain = snapshot.ruleset.chains[static_cast<size_t>(chosen)];
    Json list = Json::array();
    for (const Rule& rule : chain.rules)
        list.push_back({{"id", rule.id},
                        {"packets", counts[rule.rule_index].packets},
                        {"bytes", counts[rule.rule_index].bytes}});
    const Json page = page_of(list, "id", number_in(parameters, 1));
    json["chain"] = chain.name;
    json["rules"] = list.size();
    json["packets"] = json["bytes"] = Json::object();
    for (const auto& [name, item] : page.items()) {
        if (!item.is_object()) {
            json["next"] = item;
            continue;
        }
        json["packets"][name] = item["packets"];
        json["bytes"][name] = item["bytes"];
    }
    return json;
}

Json conntrack_stats(Controller& controller, const Words&) {
    const Json workers = ask(controller, "conntrack", {"-S"});
    Json json = Json::object();
    for (size_t i = 0; i < workers.size(); ++i)
        json[std::to_string(i)] = workers[i];
    return json;
}

Json conntrack_count(Controller& controller, const Words&) {
    return {{"count", ask(controller, "conntrack", {"-C"})},
            {"max", controller.publisher().current().conntrack.max}};
}

Json nat_pools(Controller& controller, const Words& parameters) {
    return page_of(ask(controller, "nat", {"pools"})["pools"], "pool", number_in(parameters, 0));
}

Json sets(Controller& controller, const Words& parameters) {
    return page_of(ask(controller, "set", {"list"})["sets"], "name", number_in(parameters, 0));
}

Json workers(Controller& controller, const Words& parameters) {
    return page_of(ask(controller, "workers")["workers"], "worker", number_in(parameters, 0));
}

struct TelemetryCommand {
    const char* name;
    const char* help;  // shorter than RTE_TEL_MAX_STRING_LEN
    Json (*answer)(Controller& controller, const Words& parameters);
};

constexpr TelemetryCommand kCommands[] = {
    {"/rampart/info", "Returns the state of the firewall. No parameters", info},
    {"/rampart/drops", "Returns dropped packets by reason. No parameters", drops},
    {"/rampart/rules",
     "Returns packets and bytes of rules by id; without parameters the chains. "
     "Parameters: chain, first rule",
     rules},
    {"/rampart/conntrack/stats", "Returns connection tracking counters by worker. No parameters",
     conntrack_stats},
    {"/rampart/conntrack/count", "Returns the number of flows, and the most. No parameters",
     conntrack_count},
    {"/rampart/nat/pools", "Returns what sources are translated to. Parameters: first pool",
     nat_pools},
    {"/rampart/sets", "Returns the named sets. Parameters: first set", sets},
    {"/rampart/workers", "Returns the workers. Parameters: first worker", workers},
};

Words split(const char* parameters) {
    Words words;
    for (std::string_view rest = parameters == nullptr ? "" : parameters; !rest.empty();) {
        const size_t comma = rest.find(',');
        words.emplace_back(rest.substr(0, comma));
        rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
    }
    return words;
}

// On a thread of DPDK. A negative answer is null to the client.
int on_command(const char* command, const char* parameters, rte_tel_data* data) {
    const std::lock_guard lock(present_mutex);
    if (present == nullptr) return -1;
    try {
        const Json answer = present->answer(command, parameters);
        if (!answer.is_object()) return -1;
        fill(data, answer);
        return 0;
    } catch (const std::exception& problem) {
        spdlog::error("{}: {}", command, problem.what());
        return -1;
    }
}

// They stay for the life of the process.
void register_commands() {
    static std::once_flag once;
    std::call_once(once, [] {
        for (const TelemetryCommand& command : kCommands)
            rte_telemetry_register_cmd(command.name, on_command, command.help);
    });
}

}  // namespace

Telemetry::Telemetry(ControlCalls& calls, Controller& controller)
    : calls_(calls), controller_(controller) {
    {
        const std::lock_guard lock(present_mutex);
        present = this;
    }
    register_commands();
}

Telemetry::~Telemetry() {
    calls_.close();
    const std::lock_guard lock(present_mutex);
    present = nullptr;
}

Json Telemetry::answer(const char* command, const char* parameters) {
    const Words words = split(parameters);
    for (const TelemetryCommand& known : kCommands)
        if (std::string_view(known.name) == command)
            return calls_.call([&] { return known.answer(controller_, words); }).value_or(Json());
    return nullptr;
}

}  // namespace rampart
