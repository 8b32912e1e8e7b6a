// Decider: the rule, or the policy, behind a verdict.
//
// Found after process() by the path of rules that it noted in the burst. One thread.
#pragma once

#include <string_view>
#include <vector>

#include "dataplane/burst.h"
#include "rules/path_table.h"
#include "rules/ruleset.h"

namespace rampart {

struct Decider {
    std::string_view id;     // empty: no rule was asked
    std::string_view place;  // "FILE:LINE"; empty for policies and implicit rules
    bool is_policy = false;  // `id` is the chain's name
};

class DeciderFinder {
  public:
    explicit DeciderFinder(const Ruleset& ruleset);

    // For a packet that process() has decided, with the paths it used. The views live as long as
    // the ruleset.
    Decider find(const Burst& burst, uint32_t i, const PathTable& paths) const;

  private:
    std::vector<Decider> by_index_;  // RuleIndex
};

}  // namespace rampart
