// ChainIndex: which rule of a chain comes next that a packet can match, without asking them all.
//
// A few CutTrees for each family, each with a part of the chain's rules as boxes; the answer is the
// smallest position that any of them finds. It never skips a rule whose matches hold: rules are
// projected exactly or wider (projection.h), and the walk evaluates the candidate itself.
// Built on the control thread, immutable; next() and first() are on the packet path. No state, no
// cache: what a packet costs depends on the rules and on its own header only.
#pragma once

#include <memory>
#include <vector>

#include "rules/classifier/cut_tree.h"

namespace rampart {

class ChainIndex {
  public:
    // projections[i] is the rule at position i.
    ChainIndex(const std::vector<Projection>& projections, const Attributes& attributes);

    // The first position at or after `from` whose rule may match; kNoRule: none.
    uint32_t next(const RuleKey& key, Family family, uint32_t from) const noexcept;
    // The same from position 0 for keys of one family, at most CutTree::kBatch.
    void first(const RuleKey* keys, unsigned count, Family family, uint32_t* rules) const noexcept;

    uint64_t size_bytes() const noexcept;
    const std::vector<CutTree>& trees(Family family) const noexcept {
        return family == Family::Ipv4 ? trees4_ : trees6_;
    }

  private:
    std::vector<CutTree> trees4_;
    std::vector<CutTree> trees6_;
};

}  // namespace rampart
