// rule_action(): what a rule does, in one word of the language: "drop", "jump:web", "continue".
#pragma once

#include <string>

#include <fmt/format.h>

#include "rules/ruleset.h"

namespace rampart {

inline std::string rule_action(const Rule& rule, const Names& names) {
    const TargetType* target = target_of(rule.decision.step);
    if (target == nullptr) return "continue";
    if (!target->own_key) return std::string(target->name);
    return fmt::format("{}:{}", target->name, names.chains[rule.decision.chain]);
}

}  // namespace rampart
