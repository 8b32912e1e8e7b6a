// A single rule, added to or taken from rules that were compiled before.
//
// The text of a rule is parsed as in the file and checked as there, against the names, chains and
// ids that the ruleset has. Nothing is searched for rules that never match. Costs time for the
// rules' number, but compiles none of them again. Control thread only.
#pragma once

#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "rules/ruleset.h"

namespace rampart {

// Where rules say they were written that came at run time.
inline constexpr const char* kAtRunTime = "added at run time";
// So many changes a ruleset takes; each leaves a number behind.
inline constexpr uint32_t kMaxRuleChanges = 100'000;

struct RulePosition {
    enum class Kind : uint8_t { End, Before, After, At };
    Kind kind = Kind::End;
    std::string id;     // of Before and After
    size_t number = 0;  // of At: what the new rule's number will be, from 1
};

struct ChangedRuleset {
    Ruleset ruleset;
    size_t chain = 0;
    size_t position = 0;  // of the rule, from 0
    std::string id;
    std::string text;
};

// `text`: a rule as in the file, "{ proto: tcp, dport: 22, action: accept }"; the braces may be
// left out. Nothing: `diagnostics` say why.
std::optional<ChangedRuleset> add_rule(const Ruleset& ruleset, const std::string& chain,
                                       const std::string& text, const RulePosition& position,
                                       Diagnostics& diagnostics);
std::optional<ChangedRuleset> delete_rule(const Ruleset& ruleset, const std::string& id,
                                          Diagnostics& diagnostics);

}  // namespace rampart
