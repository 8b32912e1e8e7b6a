#include "rules/ruleset.h"

#include <fmt/format.h>

#include "rules/classifier/chain_index.h"

namespace rampart {

Ruleset::Ruleset() = default;
Ruleset::~Ruleset() = default;
Ruleset::Ruleset(Ruleset&&) noexcept = default;
Ruleset& Ruleset::operator=(Ruleset&&) noexcept = default;

void Ruleset::compile(size_t least_rules) {
    classifier = std::make_unique<const Classifier>(*this, least_rules);
}

void Ruleset::index_rules() {
    rules.assign(index_count, nullptr);
    for (const Chain& chain : chains)
        for (const Rule& rule : chain.rules)
            index(rule);
}

void Ruleset::index(const Rule& rule) {
    rules[rule.rule_index] = &rule;
    for (const Statement& statement : rule.statements)
        changes_flows = changes_flows || statement.type->changes_flows;
}

std::string print_rule(const Rule& rule, const Names& names) {
    std::string plain;
    std::string negated;
    for (const Match& match : rule.matches) {
        std::string& text = match.negated ? negated : plain;
        if (!text.empty()) text += ", ";
        text += fmt::format("{}: {}", match.type->key, match.type->print(match.arguments, names));
    }
    std::string text = plain;
    const auto append = [&text](const std::string& part) {
        if (part.empty()) return;
        if (!text.empty()) text += ", ";
        text += part;
    };
    if (!negated.empty()) append(fmt::format("not: {{ {} }}", negated));
    for (const Statement& statement : rule.statements)
        append(fmt::format("{}: {}", statement.type->key,
                           statement.type->print(statement.arguments, names)));
    const TargetType* target = target_of(rule.decision.step);
    if (target != nullptr) append(target->print(rule.decision, names));
    return text;
}

}  // namespace rampart
