// Classifier: which rule of a chain comes next that a packet can match, for all chains of a
// ruleset.
//
//   Compiled (shared by generations)  attributes, an index for each long chain, state rules
//   PositionMap of each chain         what was added and removed since it was compiled
//
// Positions are those of the ruleset that the classifier belongs to. Rules that the index does not
// know are proposed to every packet. Made on the control thread together with the Ruleset, but
// compiling may take place on any thread; immutable; next() and first() are on the packet path.
#pragma once

#include <memory>
#include <vector>

#include "rules/classifier/chain_index.h"
#include "rules/classifier/position_map.h"
#include "rules/classifier/state_rules.h"

namespace rampart {

struct Ruleset;

class Classifier {
  public:
    // Chains of at least `least_rules` rules get an index.
    Classifier(const Ruleset& ruleset, size_t least_rules);
    // What was compiled for another ruleset, for one that came of it by adding and removing rules.
    Classifier(const Classifier& earlier, const Ruleset& changed);

    const Attributes& attributes() const noexcept { return compiled_->attributes; }
    bool has_index(size_t chain) const noexcept { return index_of(chain) != nullptr; }
    // Only of chains that have one. The first position at or after `from` whose rule may match;
    // kNoRule: none.
    uint32_t next(size_t chain, const RuleKey& key, Family family, uint32_t from) const noexcept;
    // The same from position 0 for keys of one family, at most CutTree::kBatch.
    void first(size_t chain, const RuleKey* keys, unsigned count, Family family,
               uint32_t* rules) const noexcept;

    // Of any chain. Null: rules came and went since it was compiled, and nobody knows.
    const StateRules* by_state(size_t chain) const noexcept {
        return maps_[chain].is_identity() ? &compiled_->by_state[chain] : nullptr;
    }

    // Rules that came and went since it was compiled, in short chains as well.
    size_t changes() const noexcept;
    // Null: this chain is short.
    const ChainIndex* index_of(size_t chain) const noexcept {
        return compiled_->chains[chain].get();
    }
    uint64_t size_bytes() const noexcept;

  private:
    struct Compiled {
        Attributes attributes;
        std::vector<std::unique_ptr<const ChainIndex>> chains;
        std::vector<StateRules> by_state;  // of each chain, short ones as well
        std::vector<RuleList> rules;       // of each chain, as indexed
        RuleIndex first_new = 0;           // rules with this index or a greater one came later
    };
    uint32_t next_changed(size_t chain, const RuleKey& key, Family family,
                          uint32_t from) const noexcept;

    std::shared_ptr<const Compiled> compiled_;
    std::vector<PositionMap> maps_;
};

}  // namespace rampart
