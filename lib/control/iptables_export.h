// The running rules as iptables-save or ip6tables-save would write them, for reading, comparing and
// moving back.
//
//   raw                              table raw, PREROUTING
//   input, forward, output           table filter
//   chains mangle-forward and so on  table mangle, as `rampartctl import` made them of it
//   user chains                      the table that they are reached from
//
// iptables has one value per option and one target per rule, so a rule with lists or statements
// becomes several, all with the same counters. What has no counterpart stands as a comment. Rules
// of the other family are left out. Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "base/ip_address.h"
#include "rules/path_table.h"
#include "rules/ruleset.h"

namespace rampart {

struct IptablesExport {
    std::string text;
    size_t left_out = 0;  // rules that are only comments
};

// `counts` by RuleIndex; empty: none are printed.
IptablesExport export_iptables(const Ruleset& ruleset, const std::vector<RuleCount>& counts,
                               Family family);

}  // namespace rampart
