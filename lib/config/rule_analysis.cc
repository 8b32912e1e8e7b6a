#include "config/rule_analysis.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "config/rule_space.h"
#include "config/space_index.h"

namespace rampart {

namespace {

constexpr size_t kMaxWork = 40'000'000;  // look-ups and comparisons of one file
constexpr size_t kMaxCandidates = 1000;  // of one look-up
constexpr size_t kMaxPieces = 64;        // of a rule that several cover in part
constexpr size_t kMaxParts = 16;         // of a list that are looked at one by one
constexpr size_t kMaxNamed = 4;          // rules that one message names

bool is_refusal(Step step) noexcept {
    return step == Step::Drop || step == Step::Reject;
}

bool are_opposite(Step a, Step b) noexcept {
    return (a == Step::Accept && is_refusal(b)) || (is_refusal(a) && b == Step::Accept);
}

// Chains that let no packet return to the rule behind the jump.
class DecidingChains {
  public:
    DecidingChains(const Ruleset& ruleset, const RuleMarks& marks)
        : ruleset_(ruleset), marks_(marks), known_(ruleset.chains.size(), Answer::Unknown) {}

    bool contains(size_t chain);
    // No packet that matches the rule sees the next one of its chain.
    bool is_decided_by(const Rule& rule) {
        const Step step = rule.decision.step;
        return step == Step::Accept || is_refusal(step) || step == Step::Return ||
               step == Step::Goto || step == Step::Notrack || step == Step::Translate ||
               (step == Step::Jump && contains(rule.decision.chain));
    }

  private:
    enum class Answer : uint8_t { Unknown, No, Yes };
    bool find_out(size_t chain);

    const Ruleset& ruleset_;
    const RuleMarks& marks_;
    std::vector<Answer> known_;
};

bool DecidingChains::contains(size_t chain) {
    if (known_[chain] == Answer::Unknown) {
        known_[chain] = Answer::No;  // a loop decides nothing
        if (find_out(chain)) known_[chain] = Answer::Yes;
    }
    return known_[chain] == Answer::Yes;
}

bool DecidingChains::find_out(size_t chain) {
    const RuleList& rules = ruleset_.chains[chain].rules;
    for (size_t i = 0; i < rules.size(); ++i) {
        const Step step = rules[i].decision.step;
        if (!marks_[chain][i].is_good || step == Step::Return) return false;
        if (step == Step::Goto && !contains(rules[i].decision.chain)) return false;
        if (rules[i].matches.empty() && is_decided_by(rules[i])) return true;
    }
    return false;
}

class ChainAnalysis {
  public:
    ChainAnalysis(const Ruleset& ruleset, size_t chain, const RuleMarks& marks,
                  DecidingChains& deciding, Diagnostics& diagnostics)
        : names_(ruleset.names),
          rules_(ruleset.chains[chain].rules),
          marks_(marks[chain]),
          deciding_(deciding),
          diagnostics_(diagnostics) {}

    // Takes what it does from `work`; false when nothing is left of it.
    bool run(size_t& work);

  private:
    using RuleNumber = uint32_t;
    static constexpr RuleNumber kNobody = 0xffffffff;

    struct Found {
        RuleNumber whole = kNobody;  // decides all of the piece
        RuleNumber part = kNobody;   // decides some of it, the witness included
    };
    struct Shadow {
        RuleNumber by = kNobody;
        Field field = Field::Src;
        Runs runs;
    };

    bool judge(RuleNumber rule);
    bool is_covered(RuleNumber rule, std::set<RuleNumber>& by);
    bool is_covered(RuleNumber rule, size_t family, std::set<RuleNumber>& by);
    Found find(RuleNumber rule, size_t family, const Space& piece);
    Shadow find_shadow(RuleNumber rule, size_t family);
    Shadow find_dead_parts(RuleNumber rule, size_t family, Field field);
    Shadow find_overlap(RuleNumber rule, size_t family, Field field);
    RuleNumber find_opposite(RuleNumber rule, size_t family, const Space& piece);
    void warn_of_cover(RuleNumber rule, const std::set<RuleNumber>& by);
    void warn_of_shadow(RuleNumber rule, size_t family, const Shadow& shadow);
    std::string name_of(RuleNumber rule, RuleNumber seen_from) const;

    const Names& names_;
    const RuleList& rules_;
    const std::vector<RuleMark>& marks_;
    DecidingChains& deciding_;
    Diagnostics& diagnostics_;
    std::vector<RuleSpace> spaces_;
    std::array<SpaceIndex, 2> index_ = {SpaceIndex(kFamilies[0]), SpaceIndex(kFamilies[1])};
    size_t work_ = 0;
};

bool ChainAnalysis::run(size_t& work) {
    spaces_.resize(rules_.size());
    for (RuleNumber i = 0; i < rules_.size(); ++i) {
        if (!marks_[i].is_good) continue;
        if (work_ > work) {
            work = 0;
            diagnostics_.warning("W102", marks_[i].place,
                                 "rules from here on were not searched for unreachable ones",
                                 "too many rules overlap with each other");
            return false;
        }
        const Rule& rule = rules_[i];
        spaces_[i] = space_of(rule, names_);
        if (judge(i) || !deciding_.is_decided_by(rule)) continue;
        if (rule.matches.empty()) {
            if (i + 1 < rules_.size()) {
                const Location& next = marks_[i + 1].place;
                diagnostics_.warning(
                    "W102", next,
                    fmt::format("unreachable rule: everything is already decided at {}",
                                diagnostics_.seen_from(next, marks_[i].place)));
            }
            break;
        }
        for (size_t family = 0; family < kFamilies.size(); ++family) {
            if (spaces_[i].families[family]) index_[family].add(i, *spaces_[i].families[family]);
        }
    }
    work -= std::min(work, work_);
    return true;
}

// True: no packet reaches the rule.
bool ChainAnalysis::judge(RuleNumber rule) {
    const RuleSpace& space = spaces_[rule];
    if (!space.families[0] && !space.families[1]) {
        diagnostics_.warning("W102", marks_[rule].place,
                             "unreachable rule: its keys exclude each other");
        return true;
    }
    std::set<RuleNumber> by;
    if (is_covered(rule, by)) {
        warn_of_cover(rule, by);
        return true;
    }
    for (size_t family = 0; family < kFamilies.size(); ++family) {
        const Shadow shadow = find_shadow(rule, family);
        if (shadow.by == kNobody) continue;
        warn_of_shadow(rule, family, shadow);
        break;
    }
    return false;
}

bool ChainAnalysis::is_covered(RuleNumber rule, std::set<RuleNumber>& by) {
    for (size_t family = 0; family < kFamilies.size(); ++family) {
        if (spaces_[rule].families[family] && !is_covered(rule, family, by)) return false;
    }
    return true;
}

// Takes away what earlier rules decide, until a packet is left that none of them matches, or
// nothing.
bool ChainAnalysis::is_covered(RuleNumber rule, size_t family, std::set<RuleNumber>& by) {
    std::vector<Space> pieces{*spaces_[rule].families[family]};
    for (size_t steps = 0; !pieces.empty(); ++steps) {
        if (steps == kMaxPieces || pieces.size() > kMaxPieces) return false;
        Space piece = std::move(pieces.back());
        pieces.pop_back();
        const Found found = find(rule, family, piece);
        if (found.whole == kNobody && found.part == kNobody) return false;
        by.insert(found.whole != kNobody ? found.whole : found.part);
        if (found.whole != kNobody) continue;
        const Space& taken = *spaces_[found.part].families[family];
        for (const Field field : kFields) {
            const Wide end = greatest(field, kFamilies[family]);
            const Runs now = spelled_out(piece[field], end);
            const Runs removed = spelled_out(taken[field], end);
            Runs rest = without(now, removed);
            if (rest.empty()) continue;
            pieces.push_back(piece);
            pieces.back()[field] = std::move(rest);
            piece[field] = common(now, removed);
        }
    }
    return true;
}

// The first of the rules before `rule` that decide the witness of `piece`.
ChainAnalysis::Found ChainAnalysis::find(RuleNumber rule, size_t family, const Space& piece) {
    Found found;
    const Point witness = witness_of(piece);
    size_t asked = 0;
    work_ += index_[family].find(witness, [&](RuleNumber candidate) {
        const RuleSpace& other = spaces_[candidate];
        const Space& space = *other.families[family];
        if (contains(space, witness) && implies(spaces_[rule], other)) {
            RuleNumber& best = covers(space, piece) ? found.whole : found.part;
            best = std::min(best, candidate);
        }
        return ++asked < kMaxCandidates;
    });
    return found;
}

// The first earlier rule with the opposite verdict that decides all of `piece`.
ChainAnalysis::RuleNumber ChainAnalysis::find_opposite(RuleNumber rule, size_t family,
                                                       const Space& piece) {
    const Found found = find(rule, family, piece);
    if (found.whole == kNobody) return kNobody;
    const bool is_opposite =
        are_opposite(rules_[found.whole].decision.step, rules_[rule].decision.step);
    return is_opposite ? found.whole : kNobody;
}

ChainAnalysis::Shadow ChainAnalysis::find_shadow(RuleNumber rule, size_t family) {
    const Step step = rules_[rule].decision.step;
    if (!spaces_[rule].families[family] || (step != Step::Accept && !is_refusal(step))) return {};
    for (const Field field : kFields) {
        Shadow shadow = find_dead_parts(rule, family, field);
        const bool is_port = field == Field::Sport || field == Field::Dport;
        if (shadow.by == kNobody && is_port) shadow = find_overlap(rule, family, field);
        if (shadow.by != kNobody) return shadow;
    }
    return {};
}

// What a rule lists under one key: runs of addresses and ports, names one by one.
std::vector<Run> parts_of(Field field, const Runs& runs) {
    if (field != Field::Proto && field != Field::In && field != Field::Out &&
        field != Field::State) {
        return runs.size() <= kMaxParts ? runs : Runs();
    }
    const Wide step = field == Field::State ? 2 : 1;  // a state has two directions
    std::vector<Run> parts;
    for (const Run& run : runs) {
        if ((run.last - run.first) / step + parts.size() > kMaxParts) return {};
        for (Wide first = run.first; first <= run.last; first += step)
            parts.push_back({first, std::min(first + step - 1, run.last)});
    }
    return parts;
}

ChainAnalysis::Shadow ChainAnalysis::find_dead_parts(RuleNumber rule, size_t family, Field field) {
    const Space& space = *spaces_[rule].families[family];
    const std::vector<Run> parts = parts_of(field, space[field]);
    Shadow shadow{.by = kNobody, .field = field, .runs = {}};
    if (parts.size() < 2) return shadow;
    Space piece = space;
    for (const Run& part : parts) {
        piece[field] = {part};
        const RuleNumber by = find_opposite(rule, family, piece);
        if (by == kNobody || (shadow.by != kNobody && by != shadow.by)) continue;
        shadow.by = by;
        shadow.runs.push_back(part);
    }
    return shadow;
}

// One range of ports, and an earlier rule that reaches into it from outside.
ChainAnalysis::Shadow ChainAnalysis::find_overlap(RuleNumber rule, size_t family, Field field) {
    const Space& space = *spaces_[rule].families[family];
    const Runs& runs = space[field];
    if (runs.size() != 1 || runs[0].first == runs[0].last) return {};
    for (const Wide end : {runs[0].first, runs[0].last}) {
        Space piece = space;
        piece[field] = {{end, end}};
        const RuleNumber by = find_opposite(rule, family, piece);
        if (by == kNobody) continue;
        const Runs& theirs = (*spaces_[by].families[family])[field];
        // All of theirs inside ours: an exception before the rule.
        if (theirs.empty() || contains(runs, theirs)) continue;
        return {by, field, common(runs, theirs)};
    }
    return {};
}

std::string ChainAnalysis::name_of(RuleNumber rule, RuleNumber seen_from) const {
    const std::string place = diagnostics_.seen_from(marks_[seen_from].place, marks_[rule].place);
    if (rules_[rule].id.empty()) return fmt::format("the rule at {}", place);
    return fmt::format("rule {} at {}", quoted(rules_[rule].id), place);
}

void ChainAnalysis::warn_of_cover(RuleNumber rule, const std::set<RuleNumber>& by) {
    std::string text;
    size_t named = 0;
    for (const RuleNumber other : by) {
        if (named == kMaxNamed) break;
        if (named != 0) text += named + 1 == by.size() ? " and " : ", ";
        text += name_of(other, rule);
        ++named;
    }
    if (by.size() > kMaxNamed) text += fmt::format(" and {} more", by.size() - kMaxNamed);
    const bool is_one = by.size() == 1;
    const bool is_opposite =
        is_one && are_opposite(rules_[*by.begin()].decision.step, rules_[rule].decision.step);
    diagnostics_.warning("W102", marks_[rule].place,
                         fmt::format("unreachable rule: {} {} all of its packets", text,
                                     is_one ? "decides" : "together decide"),
                         is_opposite ? "put it before that rule, or leave it out" : "");
}

void ChainAnalysis::warn_of_shadow(RuleNumber rule, size_t family, const Shadow& shadow) {
    const Step step = rules_[shadow.by].decision.step;
    const std::string_view verb =
        step == Step::Accept ? "accepts" : (step == Step::Drop ? "drops" : "rejects");
    diagnostics_.warning(
        "W103", marks_[rule].place,
        fmt::format("this rule never sees packets of {}: {} {} them",
                    print_field(shadow.field, shadow.runs, kFamilies[family], names_),
                    name_of(shadow.by, rule), verb),
        "change the order of the rules, or leave that part out");
}

}  // namespace

void analyse_rules(const Ruleset& ruleset, const RuleMarks& marks, Diagnostics& diagnostics) {
    DecidingChains deciding(ruleset, marks);
    size_t work = kMaxWork;
    for (size_t chain = 0; chain < ruleset.chains.size(); ++chain) {
        if (!ChainAnalysis(ruleset, chain, marks, deciding, diagnostics).run(work)) return;
    }
}

}  // namespace rampart
