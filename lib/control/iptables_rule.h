// One rule of Rampart as rules of iptables: the words behind `-A CHAIN`. Pure functions, any
// thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "rules/ruleset.h"

namespace rampart {

struct IptablesRules {
    std::vector<std::string> lines;  // none: the rule is for the other family
    std::string reason;              // why there is no counterpart; empty: there is
};

// `chain_name` says what a chain is called there.
IptablesRules to_iptables(const Rule& rule, const Ruleset& ruleset, Family family,
                          const std::function<std::string(size_t)>& chain_name);

}  // namespace rampart
