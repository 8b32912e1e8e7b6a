#include "config/policy_analysis.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/rule_space.h"

namespace rampart {

namespace {

constexpr size_t kMaxQuestions = 100;  // rules whose answers are looked for
constexpr Wide kEphemeralPort = 50000;
constexpr Wide kIcmp = 1, kIcmpv6 = 58;

constexpr Wide state_of(CtClass ct_class, Direction direction) {
    return static_cast<Wide>(ct_class) * 2 + static_cast<Wide>(direction);
}

struct AcceptRule {
    const Rule* rule;
    Location place;
    RuleSpace space;
};

bool intersect(const Runs& a, const Runs& b) {
    return a.empty() || b.empty() || !common(a, b).empty();
}

Wide port_of(const Runs& runs) {
    return contains(runs, kEphemeralPort) ? kEphemeralPort : runs.front().first;
}

bool begins_connections(const Space& space) {
    const bool is_multicast =
        !space[Field::Dst].empty() && (space[Field::Dst].front().first >> 28 == 0xe ||
                                       space[Field::Dst].front().first >> 120 == 0xff);
    return !is_multicast &&
           contains(space[Field::State], state_of(CtClass::New, Direction::Original));
}

// May `space` hold an answer to what `question` holds? Ports are those of a typical client.
bool accepts_answer(const Space& question, const Space& space) {
    return contains(space[Field::State], state_of(CtClass::Established, Direction::Reply)) &&
           intersect(space[Field::Src], question[Field::Dst]) &&
           intersect(space[Field::Dst], question[Field::Src]) &&
           intersect(space[Field::In], question[Field::Out]) &&
           intersect(space[Field::Out], question[Field::In]) &&
           intersect(space[Field::Proto], question[Field::Proto]) &&
           contains(space[Field::Sport], port_of(question[Field::Dport])) &&
           contains(space[Field::Dport], port_of(question[Field::Sport]));
}

class HookAnalysis {
  public:
    HookAnalysis(const Ruleset& ruleset, const RuleMarks& marks, size_t base,
                 Diagnostics& diagnostics)
        : ruleset_(ruleset), marks_(marks), base_(base), diagnostics_(diagnostics) {
        collect();
    }

    void check_answers() const;
    void check_related() const;
    bool accepts_related() const;
    // `strict` is where it was asked that neighbour discovery needs a rule.
    void check_neighbour_discovery(const Location& strict) const;

  private:
    void collect();

    const Ruleset& ruleset_;
    const RuleMarks& marks_;
    size_t base_;
    Diagnostics& diagnostics_;
    std::vector<AcceptRule> accepting_;  // in the chains that the base chain reaches
};

void HookAnalysis::collect() {
    std::vector<bool> is_seen(ruleset_.chains.size());
    std::vector<size_t> todo{base_};
    while (!todo.empty()) {
        const size_t chain = todo.back();
        todo.pop_back();
        if (is_seen[chain]) continue;
        is_seen[chain] = true;
        const RuleList& rules = ruleset_.chains[chain].rules;
        for (size_t i = 0; i < rules.size(); ++i) {
            const Step step = rules[i].decision.step;
            if (step == Step::Jump || step == Step::Goto) todo.push_back(rules[i].decision.chain);
            if (step != Step::Accept) continue;
            accepting_.push_back(
                {&rules[i], marks_[chain][i].place, space_of(rules[i], ruleset_.names)});
        }
    }
}

void HookAnalysis::check_answers() const {
    const auto is_answered = [this](size_t family, const Space& question) {
        return std::any_of(accepting_.begin(), accepting_.end(), [&](const AcceptRule& other) {
            const auto& space = other.space.families[family];
            return space && accepts_answer(question, *space);
        });
    };
    size_t questions = 0;
    for (const AcceptRule& rule : accepting_) {
        for (size_t family = 0; family < kFamilies.size(); ++family) {
            const auto& space = rule.space.families[family];
            if (!space || !begins_connections(*space)) continue;
            if (++questions > kMaxQuestions) return;
            if (is_answered(family, *space)) continue;
            diagnostics_.warning(
                "W104", rule.place,
                fmt::format("no rule accepts the answers to what this rule accepts, and the policy "
                            "of chain '{}' drops them",
                            ruleset_.chains[base_].name),
                "- { state: established, action: accept }");
            return;
        }
    }
}

void HookAnalysis::check_related() const {
    const Runs errors{{kIcmp, kIcmp}, {kIcmpv6, kIcmpv6}};
    for (const AcceptRule& rule : accepting_) {
        const auto& space = rule.space.families[rule.space.families[0] ? 0 : 1];
        if (!space || (*space)[Field::State].empty()) continue;
        const Runs& states = (*space)[Field::State];
        // With `established` it is the rule that everybody begins with, and means errors.
        const bool is_alone =
            contains(states, state_of(CtClass::Related, Direction::Original)) &&
            !contains(states, state_of(CtClass::Established, Direction::Original));
        const bool is_restricted =
            contains(errors, (*space)[Field::Proto]) ||
            std::any_of(rule.rule->matches.begin(), rule.rule->matches.end(),
                        [](const Match& match) { return match.type->key == "ct_helper"; });
        if (!is_alone || is_restricted) continue;
        diagnostics_.warning("W105", rule.place,
                             "this accepts whatever is related to a connection, of any protocol",
                             "for ICMP errors add  proto: [icmp, icmpv6]");
    }
}

bool HookAnalysis::accepts_related() const {
    if (ruleset_.chains[base_].policy == Policy::Accept) return true;
    return std::any_of(accepting_.begin(), accepting_.end(), [](const AcceptRule& rule) {
        return std::any_of(
            rule.space.families.begin(), rule.space.families.end(), [](const auto& space) {
                return space && contains((*space)[Field::State],
                                         state_of(CtClass::Related, Direction::Original));
            });
    });
}

// `icmpv6` names the messages it is about.
bool may_be_discovery(const Rule& rule, const Names& names) {
    for (const Match& match : rule.matches) {
        if (match.type->key != "icmpv6" || match.negated) continue;
        const std::string words = match.type->print(match.arguments, names);
        if (words.find("neighbour") == words.npos && words.find("135") == words.npos) return false;
    }
    return true;
}

void HookAnalysis::check_neighbour_discovery(const Location& strict) const {
    if (accepting_.empty()) return;  // nothing passes, and that is meant
    for (const AcceptRule& rule : accepting_) {
        const auto& space = rule.space.families[1];
        if (space && contains((*space)[Field::Proto], kIcmpv6) &&
            contains((*space)[Field::State], state_of(CtClass::Untracked, Direction::Original)) &&
            may_be_discovery(*rule.rule, ruleset_.names))
            return;
    }
    diagnostics_.warning(
        "W109", strict,
        fmt::format("no rule of chain '{}' accepts neighbour discovery: IPv6 will not work",
                    ruleset_.chains[base_].name),
        "- { proto: icmpv6, icmpv6: neighbour-discovery, action: accept }");
}

bool states_burst(const Value& limit) {
    return limit.is_map() ? limit.find("burst") != nullptr
                          : limit.text().find("burst") != std::string::npos;
}

// What a limit lets through in `raw` is all that is ever tracked.
void check_raw_limits(const Value& document, Diagnostics& diagnostics) {
    const Value* chains = document.find("chains");
    const Value* raw = chains == nullptr ? nullptr : chains->find("raw");
    const Value* rules = raw == nullptr || raw->is_list() ? raw : raw->find("rules");
    if (rules == nullptr) return;
    for (const Value& rule : rules->items()) {
        const Value* limit = rule.find("limit");
        const Value* action = rule.find("action");
        if (limit == nullptr || action == nullptr || action->text() != "accept") continue;
        if (!states_burst(*limit)) {
            diagnostics.warning("W112", limit->location(),
                                "a limit that accepts in chain 'raw' should say its burst",
                                "limit: 1000/second burst 2000");
        }
    }
}

// What a helper expects is RELATED, and of no use where nothing accepts that.
void check_helpers(const Ruleset& ruleset, const RuleMarks& marks, Diagnostics& diagnostics) {
    for (size_t chain = 0; chain < ruleset.chains.size(); ++chain) {
        const RuleList& rules = ruleset.chains[chain].rules;
        for (size_t i = 0; i < rules.size(); ++i) {
            const bool has_helper = std::any_of(
                rules[i].statements.begin(), rules[i].statements.end(),
                [](const Statement& statement) { return statement.type->key == "helper"; });
            if (!has_helper) continue;
            diagnostics.warning("W111", marks[chain][i].place,
                                "no rule accepts what this helper expects",
                                "- { state: related, ct_helper: ..., action: accept }");
            return;  // one is enough
        }
    }
}

}  // namespace

void analyse_policies(const Value& document, const Ruleset& ruleset, const RuleMarks& marks,
                      Diagnostics& diagnostics) {
    check_raw_limits(document, diagnostics);
    bool is_related_accepted = false;
    for (size_t chain = 0; chain < ruleset.chains.size(); ++chain) {
        const Hook hook = ruleset.chains[chain].hook;
        if (hook == Hook::None || hook == Hook::Raw || (mask_of(hook) & kNatHooks) != 0) continue;
        const HookAnalysis analysis(ruleset, marks, chain, diagnostics);
        analysis.check_related();
        is_related_accepted = is_related_accepted || analysis.accepts_related();
        if (ruleset.chains[chain].policy != Policy::Drop) continue;
        // Each hook alone sees both directions only where packets are forwarded.
        if (hook == Hook::Forward) analysis.check_answers();
        const bool has_discovery =
            hook == Hook::Forward || (hook == Hook::Input && ruleset.names.has_routed_interfaces());
        if (!has_discovery) continue;
        const Value* bridge = document.find("bridge");
        const Value* strict = bridge == nullptr ? nullptr : bridge->find("strict_nd");
        if (strict != nullptr && !ruleset.allow_neighbour_discovery)
            analysis.check_neighbour_discovery(strict->location());
    }
    if (!is_related_accepted) check_helpers(ruleset, marks, diagnostics);
}

}  // namespace rampart
