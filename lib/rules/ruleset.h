// Ruleset: the compiled chains of one configuration. Immutable; workers walk it.
//
//   Ruleset -> chains[0..n) -> rules[0..m) -> matches (all must hold) + Decision
//
// Rules and policies share one numbering, `rule_index`, that counters and paths are kept under:
// a chain's rules come first, then its policy (base chains only), then named counters, and what
// `log` statements count at last; what is added later comes behind all of that. The stable `id` of
// a rule (given, or a hash of its text within its chain) is what survives a reload.
//
// with_rule() and without_rule() make the next generation's ruleset when a single rule comes or
// goes: it shares all other rules, their numbers and the compiled classifier with the one before.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/names.h"
#include "rules/rule.h"

namespace rampart {

enum class Policy : uint8_t { None, Accept, Drop };

inline constexpr unsigned kMaxJumpDepth = 16;

struct Chain {
    std::string name;
    Hook hook = Hook::None;        // None: a user chain
    Policy policy = Policy::None;  // None exactly for user chains; Accept for those of nat
    RuleList rules;
    RuleIndex policy_index = 0;  // base chains: the policy's place in the numbering
};

// `counter: NAME`: counts the packets of all rules that name it.
struct NamedCounter {
    std::string name;
    RuleIndex index = 0;           // its place in the numbering
    std::vector<RuleIndex> rules;  // who counts in it
};

struct RuleInChain {
    size_t chain;
    Rule* rule;
};

class Classifier;

struct Ruleset {
    static constexpr int kNoChain = -1;

    Ruleset();
    ~Ruleset();
    Ruleset(Ruleset&&) noexcept;
    Ruleset& operator=(Ruleset&&) noexcept;

    std::vector<Chain> chains;
    std::vector<NamedCounter> counters;
    // By rule_index; null: a policy, a counter or an implicit rule. Set by index_rules().
    std::vector<const Rule*> rules;
    // Set by index_rules(), for whoever would search all rules for them: rules with a match that
    // remembers (MatchType::remembers), with a `log`, and with a jump or goto.
    std::vector<RuleInChain> remembering;
    std::vector<RuleInChain> logging;
    std::vector<RuleInChain> jumping;
    // By rule_index: the hash of the rule's id; 0: none.
    std::vector<size_t> id_hashes;
    // Compiled from `chains` by compile(); null: every rule is asked, with the same outcome.
    std::unique_ptr<const Classifier> classifier;
    Names names;
    // Index of the base chain of each hook.
    int raw = kNoChain;
    int prerouting = kNoChain;
    int input = kNoChain;
    int forward = kNoChain;
    int output = kNoChain;
    int postrouting = kNoChain;
    RuleIndex index_count = 0;  // rules and policies of all chains, and the implicit rules
    uint32_t changes = 0;       // rules added and removed since it was loaded
    uint16_t pool_count = 0;    // numbers that NatAction::pool has been given
    // Some rule of nat translates sources to so few ports that those may not suffice for every
    // worker.
    bool has_narrow_pool = false;
    bool changes_flows = false;    // some statement changes what rules say about a flow
    bool looks_at_status = false;  // some rule says something else when a flow's status changes
    // Implicit rules (always listed by `rampartctl list --implicit`).
    bool allow_neighbour_discovery = true;
    RuleIndex neighbour_discovery_index = 0;

    // After the last change to `chains`. A chain with fewer rules is as fast without an index.
    static constexpr size_t kLeastIndexedRules = 6;
    void compile(size_t least_rules = kLeastIndexedRules);

    // Once the rules have their numbers.
    void index_rules();

    // Null: no rule has this id.
    const Rule* find_rule(std::string_view id) const noexcept;

    // `position`: of the new rule, at most the chain's size. Its id is new, its number is given
    // here. Control.
    Ruleset with_rule(size_t chain, size_t position, Rule rule) const;
    Ruleset without_rule(size_t chain, size_t position) const;
    // The same rules, and an index of them: `compiled` for rules that these came of.
    Ruleset with_classifier(const Classifier& compiled) const;

    // Shares the rules, for whoever compiles them aside.
    Ruleset copy() const { return *this; }

  private:
    Ruleset(const Ruleset& other);
    void index(size_t chain, Rule& rule);
    void forget(const Rule& rule);
    void count_for(const Rule& rule);
    void number_pool(Rule& rule);
};

// The rule in the language's own words, without id and comment; negated matches last. Control
// thread.
std::string print_rule(const Rule& rule, const Names& names);

}  // namespace rampart
