// walk(): a packet through the chains, first match wins, exactly as written.
//
// The reference meaning of the rules: the classifier and the cached verdicts must agree with it. In
// long chains it asks the classifier which rule may match next, and evaluates that one itself.
// Statements are carried out as their rules match. Called by the worker's raw and classify stages
// for packets whose verdict is not cached.
#pragma once

#include "rules/path_table.h"
#include "rules/rule_input.h"
#include "rules/ruleset.h"

namespace rampart {

struct Judgement {
    Step step = Step::Drop;  // Accept, Drop, Reject, Notrack or Translate
    RejectWith reject_with = RejectWith::None;
    bool by_policy = false;  // no rule decided
    // Every rule looked at depends only on the flow, direction and state (design D1).
    bool cacheable = false;
    bool is_essential = false;       // the rule that accepted it is
    PathId path = kNoPath;           // kNoPath: counted already, do not cache
    const NatAction* nat = nullptr;  // of Translate: the rule's; lives as long as the ruleset
};

// Where a walk begins: at a base chain (index into ruleset.chains), and when the classifier was
// asked already, at the first rule of it that may match.
struct WalkStart {
    // Implicit: most walks begin with the chain's first rule.
    WalkStart(int chain_index) noexcept : chain(chain_index) {}
    WalkStart(int chain_index, uint32_t first_that_may_match) noexcept
        : chain(chain_index), is_looked_up(true), first_rule(first_that_may_match) {}

    int chain;
    bool is_looked_up = false;
    uint32_t first_rule = 0;  // or kNoRule
};

// `length_bytes` is only counted when the path table is full; otherwise the caller counts the path.
Judgement walk(const Ruleset& ruleset, const WalkStart& start, RuleInput& input, PathTable& paths,
               uint64_t length_bytes) noexcept;

// The rule at `first`, where the index has proposed it and it matches and decides alone, by what
// the index knows of the packet: nothing else of `input` need be set. Null: walk().
inline const Rule* decided_by_key(const RuleList& rules, uint32_t first,
                                  const RuleInput& input) noexcept {
    if (first >= rules.size() || !rules[first].decides_by_key) return nullptr;
    for (const Match& match : rules[first].matches)
        if (!match.matches(input)) return nullptr;
    return &rules[first];
}

// What walk() says where it is known that `rule`, which decides alone, is the first that matches.
Judgement judgement_of(const Rule& rule, PathTable& paths, uint64_t length_bytes) noexcept;

// For a packet whose verdict was cached as `path`: the statements of the rules on it, in order.
void run_statements(const Ruleset& ruleset, const PathTable& paths, PathId path,
                    RuleInput& input) noexcept;

// For a packet whose verdict was cached as `path`: all that its rules have to do is to log it, and
// their rates leave no room for that now. So there is nothing to run, only something to count.
bool is_log_exhausted(const Ruleset& ruleset, const PathTable& paths, PathId path,
                      uint64_t now_ns) noexcept;
void count_not_logged(const Ruleset& ruleset, PathTable& paths, PathId path, uint64_t packets,
                      uint64_t bytes) noexcept;

}  // namespace rampart
