#include "import/rule_draft.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "import/values.h"

namespace rampart {

namespace {

bool is_port_key(std::string_view key) {
    return key == "sport" || key == "dport";
}

bool is_address_key(std::string_view key) {
    return key == "src" || key == "dst";
}

// Keys whose words exclude each other: what two lists share is what both allow.
bool is_word_key(std::string_view key) {
    return key == "state" || key == "proto" || key == "ct_status" || key == "pkt_type";
}

bool is_literal_address(const Term& term) {
    return is_address_key(term.key) &&
           std::none_of(term.words.begin(), term.words.end(),
                        [](const std::string& word) { return word.starts_with('@'); });
}

std::vector<std::string> common_words(const std::vector<std::string>& a,
                                      const std::vector<std::string>& b) {
    std::vector<std::string> both;
    std::copy_if(a.begin(), a.end(), std::back_inserter(both), [&b](const std::string& word) {
        return std::find(b.begin(), b.end(), word) != b.end();
    });
    return both;
}

}  // namespace

const Term* ImportedRule::find_match(std::string_view key) const noexcept {
    const auto found = std::find_if(matches.begin(), matches.end(),
                                    [key](const Term& term) { return term.key == key; });
    return found == matches.end() ? nullptr : &*found;
}

const Term* ImportedRule::find_effect(std::string_view key) const noexcept {
    const auto found = std::find_if(effects.begin(), effects.end(),
                                    [key](const Term& term) { return term.key == key; });
    return found == effects.end() ? nullptr : &*found;
}

bool implies_family(const ImportedRule& rule) {
    return std::any_of(rule.matches.begin(), rule.matches.end(), [](const Term& term) {
        return term.key == "icmp" || term.key == "icmpv6" || is_literal_address(term);
    });
}

RuleDraft::RuleDraft(Family family, Origin origin, DraftContext context) : context_(context) {
    rule_.family = family;
    rule_.origin = origin;
}

void RuleDraft::require_family(Family family) {
    if (rule_.family != Family::None && rule_.family != family)
        never_matches("its conditions are of two address families");
    rule_.family = family;
}

void RuleDraft::match(std::string_view key, std::vector<std::string> words, bool negated) {
    Term term{std::string(key), std::move(words), negated, false};
    for (Term& present : rule_.matches) {
        if (present.key == key && present.negated == negated) return combine(present, term);
    }
    rule_.matches.push_back(std::move(term));
}

void RuleDraft::match_flow(std::string_view key, std::string value, bool negated) {
    Term term{std::string(key), {std::move(value)}, negated, true};
    for (Term& present : rule_.matches) {
        if (present.key == key && present.negated == negated) return combine(present, term);
    }
    rule_.matches.push_back(std::move(term));
}

void RuleDraft::combine(Term& present, const Term& further) {
    if (present == further) return;
    if (present.negated && !present.is_flow) {
        // Neither this nor that.
        for (const std::string& word : further.words) {
            if (std::find(present.words.begin(), present.words.end(), word) == present.words.end())
                present.words.push_back(word);
        }
        return;
    }
    std::optional<std::vector<std::string>> both;
    if (is_port_key(present.key)) both = common_ports(present.words, further.words);
    if (is_address_key(present.key)) both = common_addresses(present.words, further.words);
    if (is_word_key(present.key)) both = common_words(present.words, further.words);
    if (!both)
        return refuse(
            fmt::format("it has two conditions on '{}', which one rule cannot have", present.key));
    if (both->empty())
        return never_matches(fmt::format("its conditions on '{}' exclude each other", present.key));
    present.words = std::move(*both);
}

void RuleDraft::match_any_of(std::vector<Term> alternatives) {
    if (!alternatives_.empty()) return refuse("it has two conditions that are alternatives");
    alternatives_ = std::move(alternatives);
}

void RuleDraft::statement(std::string_view key, std::string word) {
    rule_.effects.push_back({std::string(key), {std::move(word)}, false, false});
}

void RuleDraft::statement_flow(std::string_view key, std::string value) {
    rule_.effects.push_back({std::string(key), {std::move(value)}, false, true});
}

void RuleDraft::verdict(std::string_view key, std::string_view word) {
    if (!action_.empty()) return refuse("it has two verdicts");
    action_ = key == "action" ? word : key;
    rule_.effects.push_back({std::string(key), {std::string(word)}, false, false});
}

void RuleDraft::verdict_flow(std::string_view key, std::string value) {
    verdict(key, {});
    rule_.effects.back() = {std::string(key), {std::move(value)}, false, true};
}

void RuleDraft::verdict_option(std::string_view key, std::string_view word) {
    rule_.effects.push_back({std::string(key), {std::string(word)}, false, false});
}

void RuleDraft::comment(std::string_view text) {
    if (!rule_.comment.empty()) rule_.comment += ' ';
    rule_.comment += text;
}

void RuleDraft::refuse(std::string message, std::string hint) {
    if (rule_.refusal.empty() || rule_.is_void) rule_.refusal = message;
    rule_.is_void = false;
    context_.report.problem(rule_.origin, std::move(message), std::move(hint));
}

void RuleDraft::never_matches(std::string reason) {
    rule_.is_void = rule_.refusal.empty();
    if (rule_.is_void) rule_.refusal = reason;
    context_.report.remark(rule_.origin, "left out, it never matches: " + std::move(reason));
}

void RuleDraft::remark(std::string message) {
    context_.report.remark(rule_.origin, std::move(message));
}

void RuleDraft::remark_once(std::string message) {
    context_.report.remark_once(std::move(message));
}

std::vector<ImportedRule> RuleDraft::finish_each() const {
    if (alternatives_.empty()) return {rule_};
    std::vector<ImportedRule> rules;
    for (const Term& alternative : alternatives_) {
        ImportedRule rule = rule_;
        rule.matches.push_back(alternative);
        if (!rules.empty()) rule.counters.reset();
        rules.push_back(std::move(rule));
    }
    return rules;
}

}  // namespace rampart
