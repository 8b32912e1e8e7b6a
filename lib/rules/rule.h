// Rule: matches (all must hold), statements and a decision, as compiled from the configuration.
// RuleList: the rules of a chain, in order.
//
// Built on the control thread. Once published, rules are immutable and workers walk them. A copy of
// a list has the same rules, not copies of them: the next generation can be one in which a single
// rule was added or removed, at the price of copying pointers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "base/rate.h"
#include "rules/match.h"
#include "rules/statement.h"
#include "rules/target.h"

namespace rampart {

using RuleIndex = uint32_t;
inline constexpr RuleIndex kNotNumbered = 0xffffffff;

struct Rule {
    // What a walk looks at stands in front.
    RuleIndex rule_index = 0;
    // Matches whose answer is constant for a flow, direction and state stand first; the walk
    // looks at the others only when all of those hold.
    uint32_t constant_matches = 0;  // how many of `matches` are constant
    std::vector<Match> matches;
    bool has_effects = false;     // a statement, or a set, has something to do per packet
    bool counts_in_sets = false;  // a set that it matched counts per element
    bool is_essential = false;    // what it accepts is let in also when the table is full
    bool is_implicit = false;     // nobody wrote it: it belongs to the rule before it
    bool decides_by_key = false;  // decides alone, by what looks_at_key_only(); by index_rules()
    Decision decision;
    // In the order of the registry.
    std::vector<Statement> statements;
    // Of a rule with `log`: where in the numbering the packets it logged are counted; those it did
    // not log are counted at the next place. kNotNumbered: it has none.
    RuleIndex logged_index = kNotNumbered;
    // When a `log` with a rate is all that it has to do per packet: that rate.
    const SharedRate* log_rate = nullptr;
    std::string id;
    std::string comment;
    std::string place;  // "FILE:LINE"
    std::string text;   // the rule as written in the language, for listings

    // Accepts, drops or rejects, with constant matches only and nothing to do per packet.
    bool decides_alone() const noexcept {
        return decision.is_verdict() && !has_effects && constant_matches == matches.size();
    }
};

class RuleList {
  public:
    template <typename T>
    class Iterator {
      public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using pointer = T*;
        using reference = T&;

        explicit Iterator(Rule* const* at = nullptr) noexcept : at_(at) {}
        T& operator*() const noexcept { return **at_; }
        T* operator->() const noexcept { return *at_; }
        Iterator& operator++() noexcept {
            ++at_;
            return *this;
        }
        Iterator operator++(int) noexcept { return Iterator(at_++); }
        bool operator==(const Iterator&) const noexcept = default;

      private:
        Rule* const* at_;
    };

    size_t size() const noexcept { return order_.size(); }
    bool empty() const noexcept { return order_.empty(); }
    const Rule& operator[](size_t position) const noexcept { return *order_[position]; }
    // Only for rules that no published list has.
    Rule& operator[](size_t position) noexcept { return *order_[position]; }
    const Rule& back() const noexcept { return *order_.back(); }
    Iterator<const Rule> begin() const noexcept { return Iterator<const Rule>(order_.data()); }
    Iterator<const Rule> end() const noexcept {
        return Iterator<const Rule>(order_.data() + order_.size());
    }
    Iterator<Rule> begin() noexcept { return Iterator<Rule>(order_.data()); }
    Iterator<Rule> end() noexcept { return Iterator<Rule>(order_.data() + order_.size()); }

    // While the list has no copies yet.
    void push_back(Rule rule);
    void insert(size_t position, Rule rule);
    // The rule lives on in other lists that have it.
    void erase(size_t position);

  private:
    using Block = std::deque<Rule>;  // its elements keep their address

    std::vector<Rule*> order_;
    std::shared_ptr<Block> built_;                 // by push_back()
    std::vector<std::shared_ptr<Rule>> inserted_;  // by insert()
};

}  // namespace rampart
