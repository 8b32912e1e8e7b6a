// ImportedDocument: chains and lists of imported rules, before they are written as YAML.
//
// Chains of hooks come first, in the order of the hooks. Both families of addresses are in one
// document: combine() brings what iptables and ip6tables keep apart together, rule by rule where
// they say the same, and keeps the order of each family.
// Value types, one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "import/chain_names.h"
#include "import/rule_draft.h"

namespace rampart {

struct ImportedChain {
    std::string name;
    std::string policy;  // "accept" or "drop"; empty: a user chain
    std::vector<ImportedRule> rules;
};

// The base chains of nat, which have a section of their own and no policy.
inline constexpr std::string_view kNatPrerouting = "nat.prerouting";
inline constexpr std::string_view kNatPostrouting = "nat.postrouting";

struct ImportedDocument {
    std::vector<ImportedChain> chains;

    ImportedChain* find(std::string_view name);
};

// A rule that is not from any line.
ImportedRule made_rule(Family family, std::string_view key, std::string_view word);

// `v4` has rules for IPv4 only, `v6` for IPv6 only.
ImportedDocument combine(ImportedDocument v4, ImportedDocument v6, ChainNames& names);

// Hooks in their order, then the rest as it was.
void sort_chains(ImportedDocument& document);

}  // namespace rampart
