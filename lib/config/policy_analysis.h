// Policy analysis: what the rules of a hook lack as a whole.
//
// RP-W104, a policy of drop that takes away the answers to what a rule accepts; RP-W105, related
// connections accepted on their own without saying which; RP-W109, neighbour discovery that needs a
// rule and has none; RP-W112, a limit that accepts in the raw chain and has no burst. Of files
// without errors. Where rules jump, the conditions of the jump count as met. Control thread only.
#pragma once

#include "base/diagnostics.h"
#include "base/value.h"
#include "config/rule_analysis.h"
#include "rules/ruleset.h"

namespace rampart {

void analyse_policies(const Value& document, const Ruleset& ruleset, const RuleMarks& marks,
                      Diagnostics& diagnostics);

}  // namespace rampart
