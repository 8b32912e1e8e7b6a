// RuleWatch: the names of the rules, when each was last seen to count, and how fast it counts.
//
// Looks once per second and before each sample, so a time is exact to a second. It follows the
// rules from one configuration to the next by chain and id, as their counters do.
// Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "control/monitoring/sample.h"

namespace rampart {

class Publisher;

class RuleWatch {
  public:
    // At `wall_s`, seconds of the wall clock.
    void look(const Publisher& publisher, uint64_t wall_s);
    // The same; and rates are told from here to the next such look, `now_ns` of the steady clock.
    void each_second(const Publisher& publisher, uint64_t wall_s, uint64_t now_ns);

    const std::shared_ptr<const RuleCatalogue>& catalogue() const noexcept { return catalogue_; }
    // By RuleIndex, at the last look.
    const std::vector<RuleCount>& counts() const noexcept { return counts_; }
    const std::vector<uint64_t>& hits_s() const noexcept { return hits_s_; }
    double packets_per_s(RuleIndex index) const noexcept;

  private:
    void follow(const Publisher& publisher);

    std::shared_ptr<const RuleCatalogue> catalogue_;
    std::vector<RuleCount> counts_;
    std::vector<uint64_t> hits_s_;  // wall clock; 0: never
    // Packets at the last two of each_second().
    std::vector<uint64_t> now_, before_;
    uint64_t now_ns_ = 0, before_ns_ = 0;
};

}  // namespace rampart
