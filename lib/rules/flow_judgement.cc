#include "rules/flow_judgement.h"

#include <array>

#include "rules/matches/registry.h"
#include "rules/rule_guide.h"

namespace rampart {
namespace {

enum class Answer : uint8_t { No, Yes, Perhaps };

// What statements noted about the flow, and may note anew: nobody knows that of its first packet.
bool reads_notes(const Match& match) noexcept {
    return match.type == &kMatchCtMark;
}

Answer ask(const Rule& rule, const RuleInput& input) noexcept {
    Answer answer = rule.constant_matches == rule.matches.size() ? Answer::Yes : Answer::Perhaps;
    for (size_t i = 0; i < rule.constant_matches; ++i) {
        const Match& match = rule.matches[i];
        if (reads_notes(match))
            answer = Answer::Perhaps;
        else if (!match.matches(input))
            return Answer::No;
    }
    return answer;
}

struct Frame {
    ChainPlace place;
    bool is_certain;  // false: the packet may never have come here
};

}  // namespace

FlowJudgement judge_flow(const Ruleset& ruleset, int chain, const RuleInput& input) noexcept {
    std::array<Frame, kMaxJumpDepth + 2> stack;
    size_t depth = 0;
    const Chain* base = &ruleset.chains[static_cast<size_t>(chain)];
    Frame at{{static_cast<size_t>(chain)}, true};
    RuleGuide guide(ruleset, input);
    // Frames above an uncertain one are uncertain, too, so a refusal there leads back to where it
    // was entered, as if it had not been.
    const auto leave_doubt = [&] {
        while (!at.is_certain && depth != 0)
            at = stack[--depth];
    };

    for (;;) {
        const Rule* next = guide.next(at.place);
        if (next == nullptr) {
            if (depth == 0) break;
            at = stack[--depth];
            continue;
        }
        const Rule& rule = *next;
        const Answer answer = ask(rule, input);
        if (answer == Answer::No) continue;
        const bool is_sure = answer == Answer::Yes;
        const bool enters =
            rule.decision.step == Step::Jump || (rule.decision.step == Step::Goto && !is_sure);
        if (enters && depth == stack.size()) return {false, rule.rule_index};  // lost in doubts
        switch (rule.decision.step) {
            case Step::Continue:
            case Step::Notrack:
                break;
            case Step::Accept:
            case Step::Translate:
                return {false, rule.rule_index};
            case Step::Drop:
            case Step::Reject:
                if (!is_sure) break;
                if (at.is_certain) return {true, rule.rule_index};
                leave_doubt();
                break;
            case Step::Return:
                if (is_sure)
                    guide.leave(at.place);
                else
                    at.is_certain = false;
                break;
            case Step::Jump:
            case Step::Goto:
                if (enters) stack[depth++] = at;
                at = {{rule.decision.chain}, at.is_certain && is_sure};
                break;
        }
    }
    return {base->policy != Policy::Accept, base->policy_index};
}

}  // namespace rampart
