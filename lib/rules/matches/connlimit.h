// ConnlimitArguments: a `connlimit` as parsed, and where it counts.
//
// RuleStates sets `rule` before the ruleset is published; what it points to outlives the ruleset.
// Without it nothing is counted and no packet matches.
#pragma once

#include "conntrack/flow_counts.h"
#include "rules/key_fields.h"

namespace rampart {

struct ConnlimitArguments {
    // Keys that are counted.
    static constexpr uint32_t kDefaultMax = 65536, kMaxMax = 4'194'304;
    static constexpr uint32_t kMaxAbove = 16'000'000;

    KeyFields key{.fields = KeyFields::Src};
    uint32_t above = 0;
    uint32_t max = kDefaultMax;
    CountingRule rule{};
    const KeyedHash* hash = nullptr;
};

}  // namespace rampart
