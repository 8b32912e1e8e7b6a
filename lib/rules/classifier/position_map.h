// PositionMap: the rules of a chain now, and where its index has them.
//
// A chain that lost or got single rules keeps the index it was compiled with. The index knows rules
// by the positions of that time; this translates, both ways, and says where rules stand that the
// index does not know. Costs a few binary searches over the changes, nothing without changes.
// Built on the control thread, immutable; all but between() is on the packet path.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rules/rule.h"

namespace rampart {

class PositionMap {
  public:
    PositionMap() = default;  // nothing changed
    // `now` came of `indexed` by inserting rules and erasing others. Inserted ones are those with a
    // rule_index of `first_new` or more.
    static PositionMap between(const RuleList& indexed, const RuleList& now, RuleIndex first_new);

    bool is_identity() const noexcept { return inserted_.empty() && erased_.empty(); }
    size_t changes() const noexcept { return inserted_.size() + erased_.size(); }

    static constexpr uint32_t kNowhere = 0xffffffff;
    // The first position now, at or after `now`, of a rule that the index does not know.
    uint32_t next_inserted(uint32_t now) const noexcept {
        const auto at = std::lower_bound(inserted_.begin(), inserted_.end(), now);
        return at == inserted_.end() ? kNowhere : *at;
    }
    // The position in the index of the first rule at or after `now` that the index knows, or past
    // its end.
    uint32_t to_indexed(uint32_t now) const noexcept {
        const uint32_t rank = now - count_below(inserted_, now);  // of those that are left
        const auto after = std::upper_bound(erased_ranks_.begin(), erased_ranks_.end(), rank);
        return rank + static_cast<uint32_t>(after - erased_ranks_.begin());
    }
    // kNowhere: the rule is gone.
    uint32_t to_now(uint32_t indexed) const noexcept {
        const uint32_t gone = count_below(erased_, indexed);
        if (gone < erased_.size() && erased_[gone] == indexed) return kNowhere;
        const uint32_t rank = indexed - gone;
        const auto after = std::upper_bound(inserted_ranks_.begin(), inserted_ranks_.end(), rank);
        return rank + static_cast<uint32_t>(after - inserted_ranks_.begin());
    }

  private:
    static uint32_t count_below(const std::vector<uint32_t>& sorted, uint32_t position) noexcept {
        return static_cast<uint32_t>(std::lower_bound(sorted.begin(), sorted.end(), position) -
                                     sorted.begin());
    }

    std::vector<uint32_t> inserted_;  // positions now, ascending
    std::vector<uint32_t> erased_;    // positions in the index, ascending
    // Of each of these, how many rules that were kept stand before it.
    std::vector<uint32_t> inserted_ranks_;
    std::vector<uint32_t> erased_ranks_;
};

}  // namespace rampart
