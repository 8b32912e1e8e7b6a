// Targets after which a packet goes on: LOG, MARK and their kind.

#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "import/modules/registry.h"
#include "import/values.h"

namespace rampart {

namespace {

constexpr OptionType kLogTypes[] = {
    {"--log-prefix", "", 1, false},       {"--log-level", "", 1, false},
    {"--log-tcp-sequence", "", 0, false}, {"--log-tcp-options", "", 0, false},
    {"--log-ip-options", "", 0, false},   {"--log-uid", "", 0, false},
    {"--log-macdecode", "", 0, false},
};

void translate_log(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        if (option.type->name != "--log-prefix")
            draft.remark_once(fmt::format(
                "'{}' is left out: records of Rampart have their own form", option.type->name));
    }
    draft.statement_flow(
        "log", fmt::format("{{ prefix: {}, limit: none }}", yaml_quoted(use.word("--log-prefix"))));
}

constexpr OptionType kNflogTypes[] = {
    {"--nflog-group", "", 1, false},     {"--nflog-prefix", "", 1, false},
    {"--nflog-range", "", 1, false},     {"--nflog-size", "", 1, false},
    {"--nflog-threshold", "", 1, false},
};

void translate_nflog(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        if (option.type->name != "--nflog-prefix")
            draft.remark_once(
                fmt::format("'{}' is left out: Rampart has one log", option.type->name));
    }
    draft.statement_flow("log", fmt::format("{{ prefix: {}, limit: none }}",
                                            yaml_quoted(use.word("--nflog-prefix"))));
}

constexpr uint32_t kAll = 0xffffffff;

constexpr OptionType kMarkTypes[] = {
    {"--set-mark", "", 1, false},     {"--set-xmark", "", 1, false}, {"--and-mark", "", 1, false},
    {"--or-mark", "", 1, false},      {"--xor-mark", "", 1, false},  {"--save-mark", "", 0, false},
    {"--restore-mark", "", 0, false}, {"--nfmask", "", 1, false},    {"--ctmask", "", 1, false},
    {"--mask", "", 1, false},
};

// All spellings clear the bits of a mask and flip those of a value; what the language can say is
// that the bits of a mask become those of a value.
void translate_set_mark(std::string_view key, const ModuleUse& use, RuleDraft& draft) {
    if (use.options.size() != 1 || use.options.front().words.empty())
        return draft.refuse("of marks only the whole is copied between packets and flows");
    const OptionUse& option = use.options.front();
    const std::string_view name = option.type->name;
    const auto parts = split_list(option.word(), '/');
    const auto value = parse_number(parts[0]);
    const auto mask = parts.size() == 2 ? parse_number(parts[1]) : kAll;
    if (!value || !mask || parts.size() > 2)
        return draft.refuse(quoted(option.word()) + " is no mark");
    uint32_t bits = *value;
    uint32_t cleared = *mask;
    if (name == "--set-mark") cleared |= *value;
    if (name == "--or-mark") cleared = *value;
    if (name == "--and-mark") {
        bits = 0;
        cleared = ~*value;
    }
    const bool flips = name == "--xor-mark" || (bits & ~cleared) != 0;
    if (flips) return draft.refuse("a mark can be set, not inverted");
    draft.statement(key, mark_word(bits, cleared));
}

void translate_mark(const ModuleUse& use, RuleDraft& draft) {
    translate_set_mark("set_mark", use, draft);
}

// Whole marks are copied; an explicit mask of all ones is what saving prints.
bool copies_all(const ModuleUse& use) {
    return std::all_of(use.options.begin(), use.options.end(), [](const OptionUse& option) {
        return option.words.empty() || parse_number(option.word()) == kAll;
    });
}

void translate_connmark(const ModuleUse& use, RuleDraft& draft) {
    if (use.has("--restore-mark") && copies_all(use)) return draft.statement("set_mark", "ct_mark");
    if (use.has("--save-mark") && copies_all(use)) return draft.statement("set_ct_mark", "mark");
    translate_set_mark("set_ct_mark", use, draft);
}

constexpr OptionType kDscpTypes[] = {
    {"--set-dscp", "", 1, false},
    {"--set-dscp-class", "", 1, false},
};

void translate_dscp(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        const auto number = parse_number(option.word());
        if (option.type->name == "--set-dscp-class")
            draft.statement("set_dscp", lower_case(option.word()));
        else if (number && *number < 64)
            draft.statement("set_dscp", std::to_string(*number));
        else
            draft.refuse(quoted(option.word()) + " is no DSCP value");
    }
}

constexpr OptionType kTcpmssTypes[] = {
    {"--set-mss", "", 1, false},
    {"--clamp-mss-to-pmtu", "", 0, false},
};

void translate_tcpmss(const ModuleUse& use, RuleDraft& draft) {
    if (use.has("--clamp-mss-to-pmtu")) return draft.statement("tcp_mss", "clamp");
    const auto size = parse_number(use.word("--set-mss"));
    if (!size) return draft.refuse("this is no segment size");
    draft.statement("tcp_mss", std::to_string(*size));
}

}  // namespace

const Module kTargetLogOptions = {"LOG", kLogTypes, translate_log, {}};
const Module kTargetNflog = {"NFLOG", kNflogTypes, translate_nflog, {}};
const Module kTargetMarkOptions = {"MARK", kMarkTypes, translate_mark, {}};
const Module kTargetConnmark = {"CONNMARK", kMarkTypes, translate_connmark, {}};
const Module kTargetDscpOptions = {"DSCP", kDscpTypes, translate_dscp, {}};
const Module kTargetTcpmss = {"TCPMSS", kTcpmssTypes, translate_tcpmss, {}};

}  // namespace rampart
