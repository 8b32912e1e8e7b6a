// The second rule of `hairpin: true`: packets from other interfaces to the addresses of `in` are
// translated like those that come in there.
//
// It stands behind the rule that asks for it, has its id with ".hairpin" added, and is shown by
// `rampartctl list --implicit`. What leaves by the interface that it came in by is masqueraded by
// the packet path (NatAction::is_hairpin). Control thread only.
#pragma once

#include <optional>
#include <string>

#include "config/build_rule.h"

namespace rampart {

// Nothing: `rule`, built of `value` without an error, has none.
std::optional<Rule> build_hairpin_rule(const Value& value, const Rule& rule, const RulePlace& place,
                                       const Names& names);
std::string hairpin_rule_id(const std::string& id);

}  // namespace rampart
