// `counters reset`: rules and policies count from zero again, as with iptables -Z.
#include <fmt/format.h>

#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {
namespace {

// The counters that the options name; all of them without any.
std::vector<RuleIndex> chosen(const Ruleset& ruleset, const std::string& rule_id,
                              const std::string& chain_name) {
    std::vector<RuleIndex> indices;
    for (const Chain& chain : ruleset.chains) {
        if (!chain_name.empty() && chain.name != chain_name) continue;
        for (const Rule& rule : chain.rules)
            if (rule_id.empty() || rule.id == rule_id) indices.push_back(rule.rule_index);
        if (rule_id.empty() && chain.policy != Policy::None) indices.push_back(chain.policy_index);
    }
    if (!rule_id.empty() || !chain_name.empty()) return indices;
    for (const NamedCounter& counter : ruleset.counters)
        indices.push_back(counter.index);
    if (ruleset.allow_neighbour_discovery) indices.push_back(ruleset.neighbour_discovery_index);
    return indices;
}

}  // namespace

CommandOutput run_counters(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Sets the counters of rules and policies to zero: counters reset.");
    std::string action, rule, chain;
    parser.required("action", action, "reset");
    parser.option("--rule", rule, "only the rule with this id");
    parser.option("--chain", chain, "only this chain");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    if (action != "reset")
        return CommandOutput::failed(exit_code::kUsage,
                                     "counters: the action is reset; `list -v` shows them\n");
    const auto indices = chosen(controller.publisher().current().ruleset, rule, chain);
    if (indices.empty())
        return CommandOutput::failed(
            exit_code::kFailure, rule.empty() ? fmt::format("no chain '{}'\n", chain)
                                              : fmt::format("no rule '{}'{}\n", rule,
                                                            chain.empty() ? "" : " in that chain"));
    if (!controller.reset_counters(indices))
        return CommandOutput::failed(
            exit_code::kFailure,
            "not every worker runs the current configuration yet; nothing was reset\n");
    CommandOutput output;
    output.out =
        fmt::format("{} counter{} reset\n", indices.size(), indices.size() == 1 ? "" : "s");
    output.result = {{"counters", indices.size()}};
    return output;
}

}  // namespace rampart
