// Expressions of nft rules, told to a RuleDraft. What is not understood is refused there.
// One thread.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "import/iptables_rule.h"
#include "import/rule_draft.h"

namespace rampart {

// One rule for each element of a verdict map; one rule without.
std::vector<ImportedRule> read_nft_rule(const nlohmann::json& expressions, Family family,
                                        Origin origin, const std::string& comment,
                                        const ChainLookup& chains, DraftContext context);

}  // namespace rampart
