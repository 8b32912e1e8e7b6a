// RuleStates: what rules remember between packets, the buckets of `limit` and the counts of
// `connlimit`, from one configuration to the next.
//
// A state belongs to a match of a rule, found again by chain, rule id and parameters, so a reload
// leaves full buckets full and counted flows counted. attach() gives the matches of a new snapshot
// their states; collect() frees those that only older snapshots used.
// Owned by whoever publishes snapshots, control thread only; workers reach the states through the
// ruleset. Outlives the workers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "conntrack/flow_counts.h"
#include "conntrack/keyed_hash.h"
#include "rules/snapshot.h"
#include "rules/token_buckets.h"

namespace rampart {

class RuleStates {
  public:
    explicit RuleStates(const KeyedHash& hash) : hash_(hash) {}

    // Before the snapshot is published, with its generation set. `flow_slots`: the capacity of each
    // worker's flow table.
    void attach(Snapshot& snapshot, std::span<const uint32_t> flow_slots);
    // No worker may use a generation before this one any more.
    void collect(uint32_t oldest_generation);

    // Keys that all rules together have room for; bounds what attach() allocates.
    static uint64_t keys_wanted(const Ruleset& ruleset);
    static constexpr uint64_t kMaxKeys = 16'777'216;

  private:
    struct State {
        std::unique_ptr<TokenBuckets> buckets;
        std::unique_ptr<FlowCounts> counts;
        uint32_t number = 0;           // of counts
        uint32_t last_generation = 0;  // that uses it
    };
    State& state_of(const Chain& chain, const Rule& rule, const Match& match,
                    const std::string& parameters);
    void attach_limit(State& state, Match& match, const Snapshot& snapshot);
    void attach_connlimit(State& state, Match& match, Snapshot& snapshot);

    KeyedHash hash_;
    std::map<std::string, State> states_;
    uint32_t last_number_ = 0;
    std::vector<std::unique_ptr<CountedFlows>> counted_flows_;  // per worker, once a rule counts
};

}  // namespace rampart
