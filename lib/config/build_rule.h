// build_rule: one mapping under `rules` becomes a Rule.
//
// Knows no match and no target by name: it asks the registries of lib/rules and the schema.
// Control thread only.
#pragma once

#include <optional>

#include "base/diagnostics.h"
#include "base/value.h"
#include "rules/ruleset.h"

namespace rampart {

struct BuiltRule {
    Rule rule;  // without rule_index; `id` only if it was given
    Location place;
    Location id_place;
    bool is_enabled = true;
    bool is_good = true;  // nothing was reported about it
};

// Where the rule stands: its chain's name, and the hooks from which the chain is reached.
struct RulePlace {
    std::string_view chain;
    HookMask hooks = kAllHooks;
};

BuiltRule build_rule(const Value& value, const RulePlace& place, const Names& names,
                     Diagnostics& diagnostics);

}  // namespace rampart
