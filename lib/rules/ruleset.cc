#include "rules/ruleset.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "rules/classifier/classifier.h"

namespace rampart {

Ruleset::Ruleset() = default;
Ruleset::~Ruleset() = default;
Ruleset::Ruleset(Ruleset&&) noexcept = default;
Ruleset& Ruleset::operator=(Ruleset&&) noexcept = default;

void Ruleset::compile(size_t least_rules) {
    classifier = std::make_unique<const Classifier>(*this, least_rules);
}

Ruleset::Ruleset(const Ruleset& other)
    : chains(other.chains),
      counters(other.counters),
      rules(other.rules),
      remembering(other.remembering),
      logging(other.logging),
      jumping(other.jumping),
      id_hashes(other.id_hashes),
      names(other.names),
      raw(other.raw),
      prerouting(other.prerouting),
      input(other.input),
      forward(other.forward),
      output(other.output),
      postrouting(other.postrouting),
      index_count(other.index_count),
      changes(other.changes),
      pool_count(other.pool_count),
      has_narrow_pool(other.has_narrow_pool),
      changes_flows(other.changes_flows),
      looks_at_status(other.looks_at_status),
      allow_neighbour_discovery(other.allow_neighbour_discovery),
      neighbour_discovery_index(other.neighbour_discovery_index) {}

void Ruleset::index_rules() {
    rules.assign(index_count, nullptr);
    id_hashes.assign(index_count, 0);
    pool_count = 0;
    for (std::vector<RuleInChain>* list : {&remembering, &logging, &jumping})
        list->clear();
    for (size_t chain = 0; chain < chains.size(); ++chain)
        for (Rule& rule : chains[chain].rules)
            index(chain, rule);
}

namespace {

bool is_narrow(const NatAction& action) noexcept {
    constexpr int kWide = 1024;
    const bool is_source = action.kind == NatKind::Snat || action.kind == NatKind::Masquerade;
    return is_source && action.has_ports && action.last_port - action.first_port < kWide;
}

}  // namespace

void Ruleset::index(size_t chain, Rule& rule) {
    rules[rule.rule_index] = &rule;
    id_hashes[rule.rule_index] = std::hash<std::string>()(rule.id);
    rule.decides_by_key = rule.decides_alone() &&
                          std::all_of(rule.matches.begin(), rule.matches.end(), looks_at_key_only);
    for (const Statement& statement : rule.statements)
        changes_flows = changes_flows || statement.type->changes_flows;
    for (const Match& match : rule.matches)
        looks_at_status = looks_at_status || match.type->looks_at_status;
    const auto remembers = [](const Match& match) { return match.type->remembers; };
    if (std::any_of(rule.matches.begin(), rule.matches.end(), remembers))
        remembering.push_back({chain, &rule});
    if (rule.logged_index != kNotNumbered) logging.push_back({chain, &rule});
    if (rule.decision.nat != nullptr) {
        has_narrow_pool = has_narrow_pool || is_narrow(*rule.decision.nat);
        number_pool(rule);
    }
    if (rule.decision.step == Step::Jump || rule.decision.step == Step::Goto)
        jumping.push_back({chain, &rule});
}

// Rules that take sources from a pool of addresses and ports.
void Ruleset::number_pool(Rule& rule) {
    if (rule.decision.nat->kind != NatKind::Snat) return;
    NatAction action = *rule.decision.nat;
    action.pool = pool_count++;
    rule.decision.nat = std::make_shared<const NatAction>(action);
}

void Ruleset::forget(const Rule& rule) {
    rules[rule.rule_index] = nullptr;
    id_hashes[rule.rule_index] = 0;
    for (std::vector<RuleInChain>* list : {&remembering, &logging, &jumping})
        std::erase_if(*list, [&rule](const RuleInChain& other) { return other.rule == &rule; });
    for (NamedCounter& counter : counters)
        std::erase(counter.rules, rule.rule_index);
    std::erase_if(counters, [](const NamedCounter& counter) { return counter.rules.empty(); });
}

const Rule* Ruleset::find_rule(std::string_view id) const noexcept {
    const size_t hash = std::hash<std::string_view>()(id);
    for (size_t i = 0; i < id_hashes.size(); ++i)
        if (id_hashes[i] == hash && rules[i] != nullptr && rules[i]->id == id) return rules[i];
    return nullptr;
}

Ruleset Ruleset::with_rule(size_t chain, size_t position, Rule rule) const {
    Ruleset next(*this);
    ++next.changes;
    rule.rule_index = next.index_count++;
    for (const Statement& statement : rule.statements) {
        if (statement.type != find_statement_type("log")) continue;
        rule.logged_index = next.index_count;
        next.index_count += 2;
    }
    RuleList& list = next.chains[chain].rules;
    list.insert(position, std::move(rule));
    next.count_for(list[position]);
    next.rules.resize(next.index_count, nullptr);
    next.id_hashes.resize(next.index_count, 0);
    next.index(chain, list[position]);
    if (classifier != nullptr) next.classifier = std::make_unique<Classifier>(*classifier, next);
    return next;
}

void Ruleset::count_for(const Rule& rule) {
    for (const Statement& statement : rule.statements) {
        if (statement.type != find_statement_type("counter")) continue;
        const std::string& name = statement.arguments.as<std::string>();
        auto counter =
            std::find_if(counters.begin(), counters.end(),
                         [&name](const NamedCounter& known) { return known.name == name; });
        if (counter == counters.end())
            counter = counters.insert(counter, {name, index_count++, {}});
        counter->rules.push_back(rule.rule_index);
    }
}

// Its number stays taken: older generations may still count under it.
Ruleset Ruleset::without_rule(size_t chain, size_t position) const {
    Ruleset next(*this);
    ++next.changes;
    RuleList& list = next.chains[chain].rules;
    next.forget(std::as_const(list)[position]);
    list.erase(position);
    if (classifier != nullptr) next.classifier = std::make_unique<Classifier>(*classifier, next);
    return next;
}

Ruleset Ruleset::with_classifier(const Classifier& compiled) const {
    Ruleset next(*this);
    next.classifier = std::make_unique<Classifier>(compiled, next);
    return next;
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
    const TargetType* target = target_of(rule.decision);
    if (target != nullptr) append(target->print(rule.decision, names));
    return text;
}

}  // namespace rampart
