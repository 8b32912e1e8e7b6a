#include "config/rule_change.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/build_rule.h"
#include "config/chain_graph.h"
#include "config/document.h"
#include "config/hairpin.h"
#include "config/rule_id.h"
#include "rules/rule_states.h"

namespace rampart {
namespace {

struct FoundRule {
    size_t chain;
    size_t position;
};

std::optional<FoundRule> find_rule(const Ruleset& ruleset, std::string_view id) {
    const Rule* wanted = ruleset.find_rule(id);
    if (wanted == nullptr) return std::nullopt;
    for (size_t chain = 0; chain < ruleset.chains.size(); ++chain) {
        const RuleList& rules = ruleset.chains[chain].rules;
        for (size_t position = 0; position < rules.size(); ++position)
            if (&rules[position] == wanted) return FoundRule{chain, position};
    }
    return std::nullopt;
}

bool has_room(const Ruleset& ruleset, Diagnostics& diagnostics) {
    if (ruleset.changes < kMaxRuleChanges) return true;
    diagnostics.error("E005", {},
                      fmt::format("{} rules were changed since the configuration was loaded; no "
                                  "more are possible",
                                  kMaxRuleChanges),
                      "put them into the file, or addresses into a set, and apply it");
    return false;
}

std::optional<size_t> resolve(const RulePosition& position, const Ruleset& ruleset, size_t chain,
                              Diagnostics& diagnostics) {
    const Chain& target = ruleset.chains[chain];
    switch (position.kind) {
        case RulePosition::Kind::End:
            return target.rules.size();
        case RulePosition::Kind::At:
            if (position.number >= 1 && position.number <= target.rules.size() + 1)
                return position.number - 1;
            diagnostics.error(
                "E005", {},
                fmt::format("chain '{}' has {} rules: the new one can be number 1 "
                            "to {}",
                            target.name, target.rules.size(), target.rules.size() + 1));
            return std::nullopt;
        case RulePosition::Kind::Before:
        case RulePosition::Kind::After:
            break;
    }
    const auto found = find_rule(ruleset, position.id);
    if (found && found->chain == chain)
        return found->position + (position.kind == RulePosition::Kind::After ? 1 : 0);
    std::string hint = "`rampartctl list -a` shows the ids";
    if (found) hint = fmt::format("it is in chain '{}'", ruleset.chains[found->chain].name);
    diagnostics.error(
        "E005", {},
        fmt::format("chain '{}' has no rule with the id {}", target.name, quoted(position.id)),
        std::move(hint));
    return std::nullopt;
}

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// A word of the command line has no use for the dash of a list, or for braces.
std::string as_mapping(std::string text) {
    const auto first = std::find_if_not(text.begin(), text.end(), is_blank);
    text.erase(text.begin(), first);
    if (text.starts_with("- ")) text.erase(0, 2);
    return text.starts_with('{') || text.find('\n') != text.npos ? text : "{ " + text + " }";
}

bool take_id(const Ruleset& ruleset, const std::string& chain, BuiltRule& built,
             Diagnostics& diagnostics) {
    Rule& rule = built.rule;
    if (rule.id.empty()) {
        unsigned repeat = 0;
        do
            rule.id = derived_rule_id(chain, rule.text, ++repeat);
        while (ruleset.find_rule(rule.id) != nullptr);
        return true;
    }
    const auto other = find_rule(ruleset, rule.id);
    if (!other) return true;
    diagnostics.error("E022", built.id_place, fmt::format("duplicate rule id {}", quoted(rule.id)),
                      "chain '" + ruleset.chains[other->chain].name + "' has it");
    return false;
}

// Rules of a chain that nothing led to so far were checked for no hook in particular.
bool check_jump(const Ruleset& ruleset, size_t chain, const BuiltRule& built, ChainGraph& graph,
                Diagnostics& diagnostics) {
    const Decision& decision = built.rule.decision;
    if (decision.step != Step::Jump && decision.step != Step::Goto) return true;
    if (graph.hooks(decision.chain) == 0 && !ruleset.chains[decision.chain].rules.empty()) {
        diagnostics.error("E005", built.place,
                          fmt::format("chain '{}' is not used so far; a jump to it cannot be added "
                                      "at run time",
                                      ruleset.chains[decision.chain].name),
                          "put it into the file and apply that");
        return false;
    }
    const bool translates = (graph.hooks(chain) & kNatHooks) != 0;
    const HookMask there = graph.hooks(decision.chain);
    if (there != 0 && ((there & kNatHooks) != 0) != translates) {
        diagnostics.error(
            "E016", built.place,
            fmt::format("chain '{}' is {}", ruleset.chains[decision.chain].name,
                        translates ? "for packets, not for translations" : "for translations"));
        return false;
    }
    graph.add(chain, decision, built.place);
    graph.check_jumps(diagnostics);
    return !diagnostics.has_errors();
}

}  // namespace

std::optional<ChangedRuleset> add_rule(const Ruleset& ruleset, const std::string& chain,
                                       const std::string& text, const RulePosition& position,
                                       Diagnostics& diagnostics) {
    if (!has_room(ruleset, diagnostics)) return std::nullopt;
    const int found = ruleset.names.find_chain(chain);
    if (found < 0) {
        diagnostics.error("E013", {}, fmt::format("no chain {}", quoted(chain)),
                          "chains: " + listed(ruleset.names.chain_names()));
        return std::nullopt;
    }
    const auto index = static_cast<size_t>(found);
    auto at = resolve(position, ruleset, index, diagnostics);
    const auto document = read_document("the rule", as_mapping(text), diagnostics);
    if (!document || !at || diagnostics.has_errors()) return std::nullopt;
    // Never between a rule and its implicit one.
    const RuleList& rules = ruleset.chains[index].rules;
    if (*at < rules.size() && rules[*at].is_implicit) ++*at;
    ChainGraph graph(ruleset);
    BuiltRule built =
        build_rule(*document, {chain, graph.hooks(index)}, ruleset.names, diagnostics);
    if (diagnostics.has_errors()) return std::nullopt;
    if (!built.is_enabled) {
        diagnostics.error("E005", built.place, "this rule is not enabled",
                          "leave 'enabled: false' out");
        return std::nullopt;
    }
    if (!take_id(ruleset, chain, built, diagnostics) ||
        !check_jump(ruleset, index, built, graph, diagnostics))
        return std::nullopt;
    built.rule.place = kAtRunTime;
    auto hairpin =
        build_hairpin_rule(*document, built.rule, {chain, graph.hooks(index)}, ruleset.names);
    Ruleset with_rule = ruleset.with_rule(index, *at, std::move(built.rule));
    if (hairpin) {
        hairpin->id = hairpin_rule_id(with_rule.chains[index].rules[*at].id);
        with_rule = with_rule.with_rule(index, *at + 1, std::move(*hairpin));
    }
    ChangedRuleset changed{
        .ruleset = std::move(with_rule), .chain = index, .position = *at, .id = {}, .text = {}};
    const Rule& rule = changed.ruleset.chains[index].rules[*at];
    changed.id = rule.id;
    changed.text = rule.text;
    if (RuleStates::keys_wanted(changed.ruleset) > RuleStates::kMaxKeys) {
        diagnostics.error("E005", built.place,
                          fmt::format("all 'limit' and 'connlimit' together may have room for {} "
                                      "keys",
                                      RuleStates::kMaxKeys),
                          "lower its 'max'");
        return std::nullopt;
    }
    return changed;
}

std::optional<ChangedRuleset> delete_rule(const Ruleset& ruleset, const std::string& id,
                                          Diagnostics& diagnostics) {
    if (!has_room(ruleset, diagnostics)) return std::nullopt;
    const auto found = find_rule(ruleset, id);
    if (!found) {
        diagnostics.error("E005", {}, fmt::format("no rule has the id {}", quoted(id)),
                          "`rampartctl list -a` shows the ids");
        return std::nullopt;
    }
    const RuleList& rules = ruleset.chains[found->chain].rules;
    if (rules[found->position].is_implicit) {
        diagnostics.error("E005", {},
                          fmt::format("rule {} is part of the one before it", quoted(id)),
                          "delete that one");
        return std::nullopt;
    }
    Ruleset without = ruleset.without_rule(found->chain, found->position);
    const size_t next = found->position + 1;
    if (next < rules.size() && rules[next].is_implicit)
        without = without.without_rule(found->chain, found->position);
    return ChangedRuleset{.ruleset = std::move(without),
                          .chain = found->chain,
                          .position = found->position,
                          .id = id,
                          .text = ruleset.chains[found->chain].rules[found->position].text};
}

}  // namespace rampart
