// rule_action(): what a rule does, in one word of the language: "drop", "jump:web", "continue".
#pragma once

#include <string>

#include <fmt/format.h>

#include "rules/ruleset.h"

namespace rampart {

inline std::string rule_action(const Rule& rule, const Names& names) {
    const TargetType* target = target_of(rule.decision);
    if (target == nullptr) return "continue";
    const bool is_jump = rule.decision.step == Step::Jump || rule.decision.step == Step::Goto;
    if (!is_jump) return std::string(target->name);
    return fmt::format("{}:{}", target->name, names.chains[rule.decision.chain]);
}

}  // namespace rampart
