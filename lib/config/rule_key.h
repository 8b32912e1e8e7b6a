// Whether a key of a rule exists, and whether it may stand where the rule stands.
//
// Both report with a hint at what would be right. Control thread only.
#pragma once

#include <string_view>

#include "base/diagnostics.h"
#include "base/value.h"
#include "config/build_rule.h"

namespace rampart {

// E002.
void report_unknown_rule_key(const Value& key, Diagnostics& diagnostics);

// `hooks`: of the match, statement or target that `key` names. E016, and E023 for a translation. A
// chain that is reached from several hooks takes what any of them takes, but translation and
// filtering do not mix.
void check_place(std::string_view key, HookMask hooks, const RulePlace& place, const Location& at,
                 Diagnostics& diagnostics);

}  // namespace rampart
