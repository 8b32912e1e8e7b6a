// LimitArguments: a `limit` as parsed, and the buckets it takes from.
//
// RuleStates sets `buckets` before the ruleset is published; they outlive it. Without buckets
// (nothing was published) no packet conforms.
#pragma once

#include "rules/key_fields.h"
#include "rules/limit_rate.h"
#include "rules/token_buckets.h"

namespace rampart {

struct LimitArguments {
    // Keys that have a bucket of their own.
    static constexpr uint32_t kDefaultMax = 65536, kMaxMax = 4'194'304;

    LimitTerms limit;
    KeyFields key;      // no fields: one bucket for all packets
    bool over = false;  // the excess matches
    uint32_t max = kDefaultMax;
    TokenBuckets* buckets = nullptr;
    const KeyedHash* hash = nullptr;
};

}  // namespace rampart
