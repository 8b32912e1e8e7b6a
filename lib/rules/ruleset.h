// Ruleset: the compiled chains of one configuration. Immutable; workers walk it.
//
//   Ruleset -> chains[0..n) -> rules[0..m) -> matches (all must hold) + Decision
//
// Rules and policies share one numbering, `rule_index`, that counters and paths are kept under:
// a chain's rules come first, then its policy (base chains only), then named counters, and what
// `log` statements count at last. The
// stable `id` of a rule (given, or a hash of its text within its chain) is what survives a reload.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rules/match.h"
#include "rules/names.h"
#include "rules/statement.h"
#include "rules/target.h"

namespace rampart {

using RuleIndex = uint32_t;

enum class Policy : uint8_t { None, Accept, Drop };

inline constexpr unsigned kMaxJumpDepth = 16;
inline constexpr RuleIndex kNotNumbered = 0xffffffff;

struct Rule {
    std::string id;
    std::string comment;
    std::string place;  // "FILE:LINE"
    std::string text;   // the rule as written in the language, for listings
    RuleIndex rule_index = 0;
    // Matches whose answer is constant for a flow, direction and state stand first; the walk
    // looks at the others only when all of those hold.
    std::vector<Match> matches;
    uint32_t constant_matches = 0;  // how many of `matches` are constant
    // In the order of the registry.
    std::vector<Statement> statements;
    bool has_effects = false;     // one of them, or a set, has something to do per packet
    bool counts_in_sets = false;  // a set that it matched counts per element
    // Of a rule with `log`: where in the numbering the packets it logged are counted; those it did
    // not log are counted at the next place. kNotNumbered: it has none.
    RuleIndex logged_index = kNotNumbered;
    Decision decision;
    bool is_essential = false;  // what it accepts is let in also when the table is full
};

struct Chain {
    std::string name;
    Hook hook = Hook::None;        // None: a user chain
    Policy policy = Policy::None;  // None exactly for user chains
    std::vector<Rule> rules;
    RuleIndex policy_index = 0;  // base chains: the policy's place in the numbering
};

// `counter: NAME`: counts the packets of all rules that name it.
struct NamedCounter {
    std::string name;
    RuleIndex index = 0;           // its place in the numbering
    std::vector<RuleIndex> rules;  // who counts in it
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
    // Compiled from `chains` by compile(); null: every rule is asked, with the same outcome.
    std::unique_ptr<const Classifier> classifier;
    Names names;
    int raw = kNoChain;  // index of the base chain of each hook
    int forward = kNoChain;
    RuleIndex index_count = 0;   // rules and policies of all chains, and the implicit rules
    bool changes_flows = false;  // some statement changes what rules say about a flow
    // Implicit rules (always listed by `rampartctl list --implicit`).
    bool allow_neighbour_discovery = true;
    RuleIndex neighbour_discovery_index = 0;

    // After the last change to `chains`. A chain with fewer rules is as fast without an index.
    static constexpr size_t kLeastIndexedRules = 16;
    void compile(size_t least_rules = kLeastIndexedRules);

    // Once the chains have their final place in memory.
    void index_rules();

  private:
    void index(const Rule& rule);
};

// The rule in the language's own words, without id and comment; negated matches last. Control
// thread.
std::string print_rule(const Rule& rule, const Names& names);

}  // namespace rampart
