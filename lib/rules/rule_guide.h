// RuleGuide: the rules of a chain that a packet has to be asked about, one after the other.
//
// In a short chain that is every rule; in a long one those that its index proposes. For one packet,
// on the stack of who walks the chains (walk.h, flow_judgement.h). Any thread.
#pragma once

#include <algorithm>

#include "rules/classifier/classifier.h"
#include "rules/rule_input.h"
#include "rules/ruleset.h"

namespace rampart {

// A place in a chain.
struct ChainPlace {
    size_t chain;
    size_t next_rule;
    bool is_candidate;  // the index proposed next_rule already
};

class RuleGuide {
  public:
    RuleGuide(const Ruleset& ruleset, const RuleInput& input) noexcept
        : ruleset_(ruleset), input_(input) {}

    // Null when the chain ends.
    const Rule* next(ChainPlace& at) noexcept {
        const RuleList& rules = ruleset_.chains[at.chain].rules;
        const Classifier* classifier = ruleset_.classifier.get();
        const bool asks_index = classifier != nullptr && classifier->has_index(at.chain) &&
                                !at.is_candidate && at.next_rule < rules.size();
        if (asks_index) {
            if (!has_key_)
                make_key(key_,
                         {input_.tuple, input_.ct_class, input_.direction, input_.in, input_.out},
                         classifier->attributes());
            has_key_ = true;
            at.next_rule = std::min<size_t>(classifier->next(at.chain, key_, input_.tuple.family,
                                                             static_cast<uint32_t>(at.next_rule)),
                                            rules.size());
        }
        at.is_candidate = false;
        return at.next_rule == rules.size() ? nullptr : &rules[at.next_rule++];
    }
    void leave(ChainPlace& at) const noexcept {
        at.next_rule = ruleset_.chains[at.chain].rules.size();
    }

  private:
    const Ruleset& ruleset_;
    const RuleInput& input_;
    bool has_key_ = false;
    RuleKey key_;
};

}  // namespace rampart
