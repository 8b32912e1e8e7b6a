// StateRules: what class and direction alone say about the packets of one chain.
//
// Whoever writes `state: [established, related]` means all of them: no index need be asked, and
// often not even the rule. Made together with the classifier, on whatever thread compiles it;
// immutable.
#pragma once

#include <array>
#include <vector>

#include "rules/classifier/cut_tree.h"
#include "rules/classifier/projection.h"
#include "rules/rule.h"

namespace rampart {

class StateRules {
  public:
    // projections[i] is of rules[i].
    StateRules(const RuleList& rules, const std::vector<Projection>& projections);

    // The position of the first rule that may match packets of this family and ct_state(), where
    // nothing else tells them apart; kNoRule: none may; kAsks: their other fields matter.
    static constexpr uint32_t kAsks = kNoRule - 1;
    uint32_t first(Family family, unsigned ct) const noexcept {
        return of_[family == Family::Ipv6][ct].first;
    }
    // The same when that rule matches all of them and decides alone; null: look closer.
    const Rule* deciding(Family family, unsigned ct) const noexcept {
        return of_[family == Family::Ipv6][ct].deciding;
    }

  private:
    struct OfState {
        uint32_t first = kNoRule;
        const Rule* deciding = nullptr;
    };
    std::array<std::array<OfState, kCtStateCount>, 2> of_;
};

}  // namespace rampart
