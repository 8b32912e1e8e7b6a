#include "rules/rule_states.h"

#include <algorithm>

#include <fmt/format.h>

#include "rules/matches/connlimit.h"
#include "rules/matches/limit.h"
#include "rules/matches/registry.h"

namespace rampart {
namespace {

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

// A rule that an older generation shares has its state already, and workers are reading it.
void RuleStates::attach_limit(State& state, Match& match, const Snapshot& snapshot) {
    LimitArguments& limit = match.arguments.as<LimitArguments>();
    if (state.buckets == nullptr)
        state.buckets =
            std::make_unique<TokenBuckets>(limit.limit, limit.key.fields == 0 ? 0 : limit.max);
    state.last_generation = snapshot.generation;
    if (limit.buckets == state.buckets.get()) return;
    limit.buckets = state.buckets.get();
    limit.hash = &hash_;
}

void RuleStates::attach_connlimit(State& state, Match& match, Snapshot& snapshot) {
    ConnlimitArguments& connlimit = match.arguments.as<ConnlimitArguments>();
    if (state.counts == nullptr) {
        state.counts = std::make_unique<FlowCounts>(connlimit.max);
        state.number = ++last_number_;
    }
    state.last_generation = snapshot.generation;
    snapshot.counting_rules.push_back({state.number, state.counts.get()});
    if (connlimit.rule.number == state.number) return;
    connlimit.rule = snapshot.counting_rules.back();
    connlimit.hash = &hash_;
}

void RuleStates::attach(Snapshot& snapshot, std::span<const uint32_t> flow_slots) {
    snapshot.counting_rules.clear();
    for (const RuleInChain& known : snapshot.ruleset.remembering) {
        const Chain& chain = snapshot.ruleset.chains[known.chain];
        for (Match& match : known.rule->matches) {
            if (match.type == &kMatchLimit)
                attach_limit(state_of(chain, *known.rule, match,
                                      match.type->print(match.arguments, snapshot.ruleset.names)),
                             match, snapshot);
            if (match.type == &kMatchConnlimit)
                attach_connlimit(
                    state_of(chain, *known.rule, match,
                             counting_parameters(match.arguments.as<ConnlimitArguments>())),
                    match, snapshot);
        }
    }
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
    for (const RuleInChain& known : ruleset.remembering) {
        for (const Match& match : known.rule->matches) {
            if (match.type == &kMatchLimit) {
                const LimitArguments& limit = match.arguments.as<LimitArguments>();
                if (limit.key.fields != 0) keys += limit.max;
            } else if (match.type == &kMatchConnlimit) {
                keys += match.arguments.as<ConnlimitArguments>().max;
            }
        }
    }
    return keys;
}

}  // namespace rampart
