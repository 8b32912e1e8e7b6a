#include "rules/walk.h"

#include <algorithm>
#include <array>

#include "packet/icmp_types.h"
#include "rules/rule_guide.h"
#include "rules/sets/set_use.h"

namespace rampart {
namespace {

// Records the rules that match: as a path while the table has room, directly otherwise.
class Recorder {
  public:
    Recorder(PathTable& paths, uint64_t bytes) noexcept : paths_(paths), bytes_(bytes) {}

    void matched(RuleIndex rule, const Decision& decision, bool has_effects = false) noexcept {
        if (path_ != kNoPath) {
            const PathId next =
                paths_.find_or_add(path_, rule, decision.step, decision.reject_with, has_effects);
            if (next == kNoPath) spill();
            path_ = next;
        }
        if (path_ == kNoPath) paths_.count_direct(rule, 1, bytes_);
    }
    PathId path() const noexcept { return path_; }

  private:
    // The table is full: what this walk recorded so far is counted rule by rule instead.
    void spill() noexcept {
        for (PathId at = path_; at != kRootPath; at = paths_.node(at).parent.load())
            paths_.count_direct(paths_.node(at).rule.load(), 1, bytes_);
    }

    PathTable& paths_;
    uint64_t bytes_;
    PathId path_ = kRootPath;
};

// Constant matches first. Only when all of them hold does the packet itself matter, and with it
// whether the verdict may be cached.
bool rule_matches(const Rule& rule, const RuleInput& input, bool& cacheable) noexcept {
    size_t i = 0;
    for (; i < rule.constant_matches; ++i)
        if (!rule.matches[i].matches(input)) return false;
    if (i == rule.matches.size()) return true;
    cacheable = false;
    for (; i < rule.matches.size(); ++i)
        if (!rule.matches[i].matches(input)) return false;
    return true;
}

// The implicit rule: without neighbour and listener discovery there is no IPv6 behind a
// default-drop policy, neither through a bridge nor to a routed box (RFC 4890, 4.4.1). Judged after
// the user's rules.
bool is_discovery(const RuleInput& input) noexcept {
    const Packet& packet = input.packet;
    if (input.ct_class != CtClass::Untracked || !packet.is_untracked_icmpv6) return false;
    const uint8_t type = input.tuple.icmp_type();
    if (is_multicast_listener(type)) return packet.hop_limit == 1;
    return is_neighbour_discovery(type) && packet.hop_limit == 255 && input.tuple.icmp_code() == 0;
}

void execute(const Rule& rule, RuleInput& input) noexcept {
    input.rule = &rule;
    if (rule.counts_in_sets && !input.is_rehearsal) {
        for (const Match& match : rule.matches)
            if (match.counts_in_sets()) match.type->sets(match.arguments)->note(input);
    }
    for (const Statement& statement : rule.statements)
        if (statement.type->execute != nullptr) statement.type->execute(statement.arguments, input);
}

// So many rules with statements may stand on a cached path.
constexpr unsigned kMaxRulesWithEffects = 16;

}  // namespace

Judgement walk(const Ruleset& ruleset, const WalkStart& start, RuleInput& input, PathTable& paths,
               uint64_t length_bytes) noexcept {
    Recorder recorder(paths, length_bytes);
    Judgement judgement;
    judgement.cacheable = true;
    std::array<ChainPlace, kMaxJumpDepth + 1> stack;
    size_t depth = 0;
    unsigned rules_with_effects = 0;
    const auto chain = static_cast<size_t>(start.chain);
    const Chain& base = ruleset.chains[chain];
    RuleGuide guide(ruleset, input);
    ChainPlace at{chain, std::min<size_t>(start.first_rule, base.rules.size()), start.is_looked_up};
    const auto end_with = [&](Step step, RejectWith reject_with) {
        judgement.step = step;
        judgement.reject_with = reject_with;
        judgement.path = recorder.path();
        if (input.flow_changed || input.must_walk) judgement.cacheable = false;
        return judgement;
    };

    for (;;) {
        const Rule* next = guide.next(at);
        if (next == nullptr) {  // fell through: as if by return
            if (depth == 0) break;
            at = stack[--depth];
            continue;
        }
        const Rule& rule = *next;
        if (!rule_matches(rule, input, judgement.cacheable)) continue;
        recorder.matched(rule.rule_index, rule.decision, rule.has_effects);
        if (rule.has_effects) {
            execute(rule, input);
            if (++rules_with_effects > kMaxRulesWithEffects) judgement.cacheable = false;
        }
        judgement.is_essential = rule.is_essential;
        switch (rule.decision.step) {
            case Step::Continue:
                break;
            case Step::Accept:
            case Step::Drop:
            case Step::Reject:
            case Step::Notrack:
                return end_with(rule.decision.step, rule.decision.reject_with);
            case Step::Translate:
                judgement.nat = rule.decision.nat.get();
                return end_with(Step::Translate, RejectWith::None);
            case Step::Return:
                guide.leave(at);
                break;
            case Step::Jump:
                stack[depth++] = at;
                [[fallthrough]];
            case Step::Goto:
                at = {rule.decision.chain};
                break;
        }
    }

    if (base.policy == Policy::Drop && base.hook != Hook::Raw &&
        ruleset.allow_neighbour_discovery && is_discovery(input)) {
        recorder.matched(ruleset.neighbour_discovery_index, {.step = Step::Accept});
        judgement.cacheable = false;  // looks at the hop limit
        return end_with(Step::Accept, RejectWith::None);
    }
    const Step step = base.policy == Policy::Accept ? Step::Accept : Step::Drop;
    judgement.by_policy = true;
    recorder.matched(base.policy_index, {.step = step});
    return end_with(step, RejectWith::None);
}

Judgement judgement_of(const Rule& rule, PathTable& paths, uint64_t length_bytes) noexcept {
    const Decision& decision = rule.decision;
    const PathId path =
        paths.find_or_add(kRootPath, rule.rule_index, decision.step, decision.reject_with);
    if (path == kNoPath) paths.count_direct(rule.rule_index, 1, length_bytes);
    return {.step = decision.step,
            .reject_with = decision.reject_with,
            .cacheable = true,
            .is_essential = rule.is_essential,
            .path = path};
}

namespace {

// The rules on a path that have something to do, the last one first.
template <typename Visit>
void for_each_with_effects(const Ruleset& ruleset, const PathTable& paths, PathId path,
                           Visit visit) noexcept {
    for (PathId at = path; at != kRootPath && paths.node(at).has_effects;
         at = paths.node(at).parent.load()) {
        const Rule* rule = ruleset.rules[paths.node(at).rule.load()];
        if (rule != nullptr && rule->has_effects) visit(*rule);
    }
}

}  // namespace

void run_statements(const Ruleset& ruleset, const PathTable& paths, PathId path,
                    RuleInput& input) noexcept {
    std::array<const Rule*, kMaxRulesWithEffects> rules;
    size_t count = 0;
    for_each_with_effects(ruleset, paths, path, [&](const Rule& rule) {
        if (count < rules.size()) rules[count++] = &rule;
    });
    while (count != 0)
        execute(*rules[--count], input);
}

bool is_log_exhausted(const Ruleset& ruleset, const PathTable& paths, PathId path,
                      uint64_t now_ns) noexcept {
    bool is_exhausted = true;
    for_each_with_effects(ruleset, paths, path, [&](const Rule& rule) {
        is_exhausted &= rule.log_rate != nullptr && rule.log_rate->is_exhausted(now_ns);
    });
    return is_exhausted;
}

void count_not_logged(const Ruleset& ruleset, PathTable& paths, PathId path, uint64_t packets,
                      uint64_t bytes) noexcept {
    for_each_with_effects(ruleset, paths, path, [&](const Rule& rule) {
        paths.count_direct(rule.logged_index + 1, packets, bytes);
    });
}

}  // namespace rampart
