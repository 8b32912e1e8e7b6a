#include "rules/rule_states.h"

#include <algorithm>

#include <fmt/format.h>

#include "rules/matches/connlimit.h"
#include "rules/matches/limit.h"
#include "rules/matches/registry.h"

namespace rampart {
namespace {

template <typename Visit>
void for_each_match(Ruleset& ruleset, Visit visit) {
    for (Chain& chain : ruleset.chains)
        for (Rule& rule : chain.rules)
            for (Match& match : rule.matches)
                visit(chain, rule, match);
}

// What must be equal for counts to go on: `above` may change.
std::string counting_parameters(const ConnlimitArguments& arguments) {
    return fmt::format("{} max {}", arguments.key.print(), arguments.max);
}

}  // namespace

RuleStates::State& RuleStates::state_of(const Chain& chain, const Rule& rule, const Match& match,
                                        const std::string& parameters) {
    return states_[fmt::format("{} {} {}{} {}", chain.name, rule.id, match.negated ? "!" : "",
                               match.type->key, parameters)];
}

void RuleStates::attach(Snapshot& snapshot, std::span<const uint32_t> flow_slots) {
    snapshot.counting_rules.clear();
    for_each_match(snapshot.ruleset, [&](const Chain& chain, const Rule& rule, Match& match) {
        if (match.type == &kMatchLimit) {
            LimitArguments& limit = match.arguments.as<LimitArguments>();
            State& state = state_of(chain, rule, match,
                                    match.type->print(match.arguments, snapshot.ruleset.names));
            if (state.buckets == nullptr)
                state.buckets = std::make_unique<TokenBuckets>(
                    limit.limit, limit.key.fields == 0 ? 0 : limit.max);
            state.last_generation = snapshot.generation;
            limit.buckets = state.buckets.get();
            limit.hash = &hash_;
        } else if (match.type == &kMatchConnlimit) {
            ConnlimitArguments& connlimit = match.arguments.as<ConnlimitArguments>();
            State& state = state_of(chain, rule, match, counting_parameters(connlimit));
            if (state.counts == nullptr) {
                state.counts = std::make_unique<FlowCounts>(connlimit.max);
                state.number = ++last_number_;
            }
            state.last_generation = snapshot.generation;
            connlimit.rule = {state.number, state.counts.get()};
            connlimit.hash = &hash_;
            snapshot.counting_rules.push_back(connlimit.rule);
        }
    });
    std::sort(snapshot.counting_rules.begin(), snapshot.counting_rules.end(),
              [](const CountingRule& a, const CountingRule& b) { return a.number < b.number; });
    if (counted_flows_.empty() && !snapshot.counting_rules.empty())
        for (const uint32_t slots : flow_slots)
            counted_flows_.push_back(std::make_unique<CountedFlows>(slots));
    snapshot.counted_flows.clear();
    for (const auto& counted : counted_flows_)
        snapshot.counted_flows.push_back(counted.get());
}

void RuleStates::collect(uint32_t oldest_generation) {
    std::erase_if(states_, [oldest_generation](const auto& entry) {
        return entry.second.last_generation < oldest_generation;
    });
}

uint64_t RuleStates::keys_wanted(const Ruleset& ruleset) {
    uint64_t keys = 0;
    for (const Chain& chain : ruleset.chains) {
        for (const Rule& rule : chain.rules) {
            for (const Match& match : rule.matches) {
                if (match.type == &kMatchLimit) {
                    const LimitArguments& limit = match.arguments.as<LimitArguments>();
                    if (limit.key.fields != 0) keys += limit.max;
                } else if (match.type == &kMatchConnlimit) {
                    keys += match.arguments.as<ConnlimitArguments>().max;
                }
            }
        }
    }
    return keys;
}

}  // namespace rampart
