// What connection tracking knows about a packet: its state, marks, helper. And comments.

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "import/modules/registry.h"
#include "import/values.h"

namespace rampart {

namespace {

constexpr OptionType kStateTypes[] = {{"--state", "", 1, true}};
constexpr OptionType kConntrackTypes[] = {
    {"--ctstate", "", 1, true},       {"--ctstatus", "", 1, true},
    {"--ctdir", "", 1, true},         {"--ctproto", "", 1, true},
    {"--ctorigsrc", "", 1, true},     {"--ctorigdst", "", 1, true},
    {"--ctreplsrc", "", 1, true},     {"--ctrepldst", "", 1, true},
    {"--ctorigsrcport", "", 1, true}, {"--ctorigdstport", "", 1, true},
    {"--ctreplsrcport", "", 1, true}, {"--ctrepldstport", "", 1, true},
    {"--ctexpire", "", 1, true},
};

// Without a flow iptables matches neither what is asked about it nor the opposite, while `not:`
// holds for whatever does not match.
void require_flow(RuleDraft& draft) {
    draft.match("state", {"invalid", "untracked"}, true);
}

// Whether `--ctstate` lets packets without a flow through, for which iptables then asks nothing
// else of the same match.
bool accepts_flowless(const ModuleUse& use) {
    const OptionUse* states = use.find("--ctstate");
    if (states == nullptr) return false;
    const auto words = split_list(states->word());
    for (const std::string_view flowless : {"INVALID", "UNTRACKED"}) {
        const bool is_named = std::find(words.begin(), words.end(), flowless) != words.end();
        if (is_named != states->negated) return true;
    }
    return false;
}

// `--ctstate RELATED,DNAT` asks for the class or for a status bit.
void translate_state(const OptionUse& option, RuleDraft& draft) {
    constexpr std::string_view kStates[] = {"INVALID", "NEW", "ESTABLISHED", "RELATED",
                                            "UNTRACKED"};
    std::vector<std::string> states;
    std::vector<std::string> status;
    for (const std::string& word : split_list(option.word())) {
        if (word == "SNAT" || word == "DNAT")
            status.push_back(lower_case(word));
        else if (std::find(std::begin(kStates), std::end(kStates), word) != std::end(kStates))
            states.push_back(lower_case(word));
        else
            return draft.refuse("unknown state " + quoted(word));
    }
    if (option.negated || states.empty() || status.empty()) {
        if (!states.empty()) draft.match("state", states, option.negated);
        if (!status.empty()) draft.match("ct_status", status, option.negated);
        return;
    }
    draft.match_any_of({{"state", states, false, false}, {"ct_status", status, false, false}});
}

void translate_status(const OptionUse& option, RuleDraft& draft) {
    std::vector<std::string> words;
    for (const std::string& word : split_list(option.word())) {
        if (word != "EXPECTED" && word != "SEEN_REPLY" && word != "ASSURED")
            return draft.refuse(fmt::format("the status {} has no counterpart", quoted(word)));
        words.push_back(lower_case(word));
    }
    draft.match("ct_status", std::move(words), option.negated);
    if (option.negated) require_flow(draft);
}

void translate_direction(const OptionUse& option, RuleDraft& draft) {
    draft.match("ct_dir", {lower_case(option.word())}, option.negated);
    if (option.negated) require_flow(draft);
}

void translate_conntrack(const ModuleUse& use, RuleDraft& draft) {
    if (accepts_flowless(use) && use.options.size() > 1)
        return draft.refuse("iptables asks packets without a flow for their state only",
                            "one condition for each: -m conntrack --ctstate ... -m conntrack ...");
    for (const OptionUse& option : use.options) {
        const std::string_view name = option.type->name;
        if (name == "--ctstate" || name == "--state")
            translate_state(option, draft);
        else if (name == "--ctstatus")
            translate_status(option, draft);
        else if (name == "--ctdir")
            translate_direction(option, draft);
        else
            draft.refuse(fmt::format("'{}' has no counterpart", name),
                         "rules see the packet's own addresses and ports");
    }
}

constexpr OptionType kMarkTypes[] = {{"--mark", "", 1, true}};

void translate_mark_as(std::string_view key, const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        const auto parts = split_list(option.word(), '/');
        const auto value = parse_number(parts[0]);
        const auto mask = parts.size() == 2 ? parse_number(parts[1]) : 0xffffffffu;
        if (!value || !mask || parts.size() > 2) {
            draft.refuse(quoted(option.word()) + " is no mark");
            continue;
        }
        draft.match(key, {mark_word(*value, *mask)}, option.negated);
        if (key == "ct_mark" && option.negated) require_flow(draft);
    }
}

void translate_mark(const ModuleUse& use, RuleDraft& draft) {
    translate_mark_as("mark", use, draft);
}

void translate_connmark(const ModuleUse& use, RuleDraft& draft) {
    translate_mark_as("ct_mark", use, draft);
}

constexpr OptionType kHelperTypes[] = {{"--helper", "", 1, true}};

void translate_helper(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options)
        draft.match("ct_helper", {option.word()}, option.negated);
}

constexpr OptionType kCommentTypes[] = {{"--comment", "", 1, false}};

void translate_comment(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options)
        draft.comment(option.word());
}

}  // namespace

const Module kMatchStateOptions = {"state", kStateTypes, translate_conntrack, {}};
const Module kMatchConntrackOptions = {"conntrack", kConntrackTypes, translate_conntrack, {}};
const Module kMatchMarkOptions = {"mark", kMarkTypes, translate_mark, {}};
const Module kMatchConnmark = {"connmark", kMarkTypes, translate_connmark, {}};
const Module kMatchHelperOptions = {"helper", kHelperTypes, translate_helper, {}};
const Module kMatchComment = {"comment", kCommentTypes, translate_comment, {}};

}  // namespace rampart
