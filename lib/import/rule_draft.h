// RuleDraft: one rule on its way from another firewall's words to the language's.
//
// Readers of dumps tell it conditions, statements and a verdict one after the other. Conditions on
// the same key are brought together as the language wants them (each key once): their intersection
// when both are stated, their union when both are negated. What cannot be said in one rule, or not
// at all, is refused; the reason goes to the report with the rule's line, and the rule is left out.
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "import/dump.h"
#include "import/report.h"

namespace rampart {

// `key: [word, word]`; under `not:` when negated. `is_flow`: the word is a mapping in flow style.
struct Term {
    std::string key;
    std::vector<std::string> words;
    bool negated = false;
    bool is_flow = false;
    bool operator==(const Term&) const = default;
};

struct ImportedRule {
    std::vector<Term> matches;
    std::vector<Term> effects;  // statements, then the verdict and its options
    std::string comment;
    Family family = Family::None;  // None: of both
    Origin origin;
    std::optional<DumpCounters> counters;
    std::string refusal;         // why it is left out; empty: it is not
    bool is_translated = false;  // left out although the language can say it: not built yet
    bool is_void = false;        // left out because it matches nothing

    bool is_imported() const noexcept { return refusal.empty(); }
    const Term* find_match(std::string_view key) const noexcept;
    const Term* find_effect(std::string_view key) const noexcept;
};

// Whether the conditions hold for one family only, so that the rule needs no `family`.
bool implies_family(const ImportedRule& rule);

class SetCatalogue;

// What all rules of an import share.
struct DraftContext {
    ImportReport& report;
    SetCatalogue& sets;
};

class RuleDraft {
  public:
    RuleDraft(Family family, Origin origin, DraftContext context);

    SetCatalogue& sets() const noexcept { return context_.sets; }

    Family family() const noexcept { return rule_.family; }
    // The packet must be of this family; refused when it contradicts what was said before.
    void require_family(Family family);
    void match(std::string_view key, std::vector<std::string> words, bool negated = false);
    // `value` is a mapping in flow style.
    void match_flow(std::string_view key, std::string value, bool negated = false);
    // At least one of these must hold; once per rule.
    void match_any_of(std::vector<Term> alternatives);
    void statement(std::string_view key, std::string word);
    void statement_flow(std::string_view key, std::string value);
    // `action: drop`, `jump: web`.
    void verdict(std::string_view key, std::string_view word);
    void verdict_flow(std::string_view key, std::string value);
    // A key that belongs to the verdict: reject_with.
    void verdict_option(std::string_view key, std::string_view word);
    void comment(std::string_view text);
    void counters(std::optional<DumpCounters> counters) { rule_.counters = counters; }

    void refuse(std::string message, std::string hint = {});
    // The rule matches no packet: it is left out, and that changes nothing.
    void never_matches(std::string reason);
    void remark(std::string message);
    void remark_once(std::string message);
    bool is_refused() const noexcept { return !rule_.refusal.empty(); }

    const std::string& action() const noexcept { return action_; }
    const std::vector<Term>& alternatives() const noexcept { return alternatives_; }
    // As many rules as there are alternatives; the caller has looked whether that is the same.
    std::vector<ImportedRule> finish_each() const;
    // Without the alternatives.
    const ImportedRule& rule() const noexcept { return rule_; }

  private:
    void combine(Term& present, const Term& further);

    DraftContext context_;
    ImportedRule rule_;
    std::vector<Term> alternatives_;
    std::string action_;  // "jump" and "goto" as well; empty: none
};

}  // namespace rampart
