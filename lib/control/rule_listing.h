// Rule listing: the running rules and their counts, in the look of `iptables -L -v -n
// --line-numbers` and as JSON. Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "control/json.h"
#include "rules/path_table.h"
#include "rules/ruleset.h"

namespace rampart {

struct ListingOptions {
    std::string chain{};    // only this one; empty: all
    bool verbose = false;   // counters, interfaces
    bool numeric = false;   // protocol numbers, exact addresses
    bool exact = false;     // counters in full instead of 12K
    bool ids = false;       // the id of each rule, and where it is written
    bool implicit = false;  // rules that nobody wrote
};

// `counts` by RuleIndex.
std::string list_rules(const Ruleset& ruleset, const std::vector<RuleCount>& counts,
                       const ListingOptions& options);
Json rules_to_json(const Ruleset& ruleset, const std::vector<RuleCount>& counts,
                   uint32_t generation);

}  // namespace rampart
