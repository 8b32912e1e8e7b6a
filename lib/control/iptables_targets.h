// The statements and the verdict of a rule as targets of iptables. Pure functions, any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "rules/ruleset.h"

namespace rampart {

struct IptablesTargets {
    std::vector<std::string> words;  // one for each rule; "" counts and goes on
    std::string reason;              // why there is no counterpart; empty: there is
};

// The line that the targets are for.
struct TargetScope {
    Family family;
    std::string protocol;  // empty: any
};

IptablesTargets iptables_targets(const Rule& rule, const Names& names, const TargetScope& scope,
                                 const std::function<std::string(size_t)>& chain_name);

}  // namespace rampart
