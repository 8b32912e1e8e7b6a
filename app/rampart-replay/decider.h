// Decider: the rule, or the policy, behind a verdict.
//
// Found after process() by walking the rules once more with what the packet was judged by, and
// counting into a path table of its own, so that the replayed one stays as a worker's. When the
// walk says something else than the verdict, the verdict was remembered wrongly: that is reported
// rather than hidden. One thread.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/burst.h"
#include "rules/path_table.h"
#include "rules/ruleset.h"

namespace rampart {

struct Decider {
    std::string_view id;       // empty: no rule was asked
    std::string_view place;    // "FILE:LINE"; empty for policies and implicit rules
    bool is_policy = false;    // `id` is the chain's name
    bool contradicts = false;  // the rules say something else than the verdict
};

class DeciderFinder {
  public:
    explicit DeciderFinder(const Ruleset& ruleset);

    // For a packet that process() has decided. The views live as long as the ruleset.
    Decider find(const Burst& burst, uint32_t i);

  private:
    const Ruleset& ruleset_;
    std::vector<Decider> by_index_;  // RuleIndex
    std::unique_ptr<PathTable> paths_;
};

}  // namespace rampart
