// Rule analysis: what a file says that cannot be meant, found before anything is active.
//
// RP-W102, rules that no packet reaches because earlier ones decide all of theirs, alone or
// together; RP-W103, a part of a rule (one address, port, protocol or state of several) that an
// earlier rule with the opposite verdict takes away. Only what is certain is said: fields are
// compared exactly, negation included, and a condition that may change (a limit, a set, a mark)
// covers nothing. An exception before a general rule is no finding.
//
// A rule is compared with those that match one of its packets, found through SpaceIndex, so the
// work grows with the number of rules, not with its square. It is bounded; giving up is said.
// Control thread only.
#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "rules/ruleset.h"

namespace rampart {

// Where a rule of Chain::rules stands, and whether it is what the user meant to write.
struct RuleMark {
    Location place;
    bool is_good = true;
};
using RuleMarks = std::vector<std::vector<RuleMark>>;  // as Ruleset::chains

void analyse_rules(const Ruleset& ruleset, const RuleMarks& marks, Diagnostics& diagnostics);

}  // namespace rampart
