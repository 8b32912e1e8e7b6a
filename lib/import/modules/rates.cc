// Rates and numbers of flows: limit, hashlimit, connlimit.

#include <optional>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "import/modules/registry.h"
#include "import/values.h"

namespace rampart {

namespace {

// What iptables assumes, and leaves out when it saves.
constexpr std::string_view kDefaultRate = "3/hour";
constexpr std::string_view kDefaultBurst = "5";

constexpr OptionType kLimitTypes[] = {{"--limit", "", 1, false}, {"--limit-burst", "", 1, false}};

void translate_limit(const ModuleUse& use, RuleDraft& draft) {
    const auto rate = rate_word(use.word("--limit", kDefaultRate));
    const auto burst = parse_number(use.word("--limit-burst", kDefaultBurst));
    if (!rate || !burst) return draft.refuse("this is no rate");
    draft.match("limit", {fmt::format("{} burst {}", *rate, *burst)});
}

constexpr OptionType kHashlimitTypes[] = {
    {"--hashlimit-upto", "--hashlimit", 1, false},
    {"--hashlimit-above", "", 1, false},
    {"--hashlimit-burst", "", 1, false},
    {"--hashlimit-mode", "", 1, false},
    {"--hashlimit-name", "", 1, false},
    {"--hashlimit-srcmask", "", 1, false},
    {"--hashlimit-dstmask", "", 1, false},
    {"--hashlimit-htable-size", "", 1, false},
    {"--hashlimit-htable-max", "", 1, false},
    {"--hashlimit-htable-expire", "", 1, false},
    {"--hashlimit-htable-gcinterval", "", 1, false},
    {"--hashlimit-rate-match", "", 0, false},
    {"--hashlimit-rate-interval", "", 1, false},
};

// "[src, dport]"; empty when a word is unknown.
std::string per_of(std::string_view modes) {
    std::string per;
    for (const std::string& mode : split_list(modes)) {
        const std::string_view word = mode == "srcip"     ? "src"
                                      : mode == "dstip"   ? "dst"
                                      : mode == "srcport" ? "sport"
                                      : mode == "dstport" ? "dport"
                                                          : "";
        if (word.empty()) return {};
        if (!per.empty()) per += ", ";
        per += word;
    }
    return '[' + per + ']';
}

// One mask for source and destination; nothing when there are two.
std::optional<std::string> mask_of(const ModuleUse& use, std::string_view per) {
    const std::string_view src = use.word("--hashlimit-srcmask");
    const std::string_view dst = use.word("--hashlimit-dstmask");
    const bool has_src = per.find("src") != per.npos;
    const bool has_dst = per.find("dst") != per.npos;
    if (has_src && has_dst && src != dst) return std::nullopt;
    return std::string(has_src ? src : has_dst ? dst : "");
}

std::string_view mask_key(const RuleDraft& draft) {
    return draft.family() == Family::Ipv6 ? "mask6" : "mask";
}

void translate_hashlimit(const ModuleUse& use, RuleDraft& draft) {
    if (use.has("--hashlimit-rate-match") || use.has("--hashlimit-rate-interval"))
        return draft.refuse("'--hashlimit-rate-match' has no counterpart");
    const bool is_over = use.has("--hashlimit-above");
    const std::string_view given = use.word(is_over ? "--hashlimit-above" : "--hashlimit-upto", "");
    const auto rate = rate_word(given);
    const auto burst = parse_number(use.word("--hashlimit-burst", kDefaultBurst));
    if (!rate || !burst)
        return draft.refuse(quoted(given) + " is no rate of packets",
                            "rates in bytes have no counterpart");
    std::string text = fmt::format("{{ rate: {}, burst: {}", *rate, *burst);
    if (use.has("--hashlimit-mode")) {
        const std::string per = per_of(use.word("--hashlimit-mode"));
        const auto mask = mask_of(use, per);
        if (per.empty() || !mask)
            return draft.refuse("what this limit counts by has no counterpart",
                                "one mask serves sources and destinations");
        text += ", per: " + per;
        if (!mask->empty()) text += fmt::format(", {}: {}", mask_key(draft), *mask);
    }
    if (use.has("--hashlimit-htable-max"))
        text += fmt::format(", max: {}", use.word("--hashlimit-htable-max"));
    if (is_over) text += ", over: true";
    draft.match_flow("limit", text + " }");
}

constexpr OptionType kConnlimitTypes[] = {
    {"--connlimit-above", "", 1, true},  {"--connlimit-upto", "", 1, true},
    {"--connlimit-mask", "", 1, false},  {"--connlimit-saddr", "", 0, false},
    {"--connlimit-daddr", "", 0, false},
};

void translate_connlimit(const ModuleUse& use, RuleDraft& draft) {
    const OptionUse* above = use.find("--connlimit-above");
    const OptionUse* upto = use.find("--connlimit-upto");
    const OptionUse* option = above != nullptr ? above : upto;
    const auto number = option == nullptr ? std::nullopt : parse_number(option->word());
    if (!number) return draft.refuse("this is no number of flows");
    const std::string_view all = draft.family() == Family::Ipv6 ? "128" : "32";
    const std::string_view mask = use.word("--connlimit-mask", all);
    const std::string_view per = use.has("--connlimit-daddr") ? "dst" : "src";
    draft.match_flow(
        "connlimit",
        fmt::format("{{ per: [{}], {}: {}, above: {} }}", per, mask_key(draft), mask, *number),
        (above == nullptr) != option->negated);
}

}  // namespace

const Module kMatchLimitOptions = {"limit", kLimitTypes, translate_limit, {}};
const Module kMatchHashlimit = {"hashlimit", kHashlimitTypes, translate_hashlimit, {}};
const Module kMatchConnlimitOptions = {"connlimit", kConnlimitTypes, translate_connlimit, {}};

}  // namespace rampart
