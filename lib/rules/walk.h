// walk(): a packet through the chains, first match wins, exactly as written.
//
// The reference meaning of the rules: the classifier and the cached verdicts must agree with it.
// Statements are carried out as their rules match. Called by the worker's raw and classify stages
// for packets whose verdict is not cached.
#pragma once

#include "rules/path_table.h"
#include "rules/rule_input.h"
#include "rules/ruleset.h"

namespace rampart {

struct Judgement {
    Step step = Step::Drop;  // Accept, Drop, Reject or Notrack
    RejectWith reject_with = RejectWith::None;
    bool by_policy = false;  // no rule decided
    // Every rule looked at depends only on the flow, direction and state (design D1).
    bool cacheable = false;
    bool is_essential = false;  // the rule that accepted it is
    PathId path = kNoPath;      // kNoPath: counted already, do not cache
};

// Walks from the base chain `chain` (index into ruleset.chains). `length_bytes` is only counted
// when the path table is full; otherwise the caller counts the path.
Judgement walk(const Ruleset& ruleset, int chain, RuleInput& input, PathTable& paths,
               uint64_t length_bytes) noexcept;

// For a packet whose verdict was cached as `path`: the statements of the rules on it, in order.
void run_statements(const Ruleset& ruleset, const PathTable& paths, PathId path,
                    RuleInput& input) noexcept;

}  // namespace rampart
