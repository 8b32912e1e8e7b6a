// Targets that end or change the way of a packet: REJECT, CT, SYNPROXY. ACCEPT, DROP and RETURN
// have no options and no modules.

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "import/modules/registry.h"
#include "import/values.h"

namespace rampart {

namespace {

constexpr OptionType kRejectTypes[] = {{"--reject-with", "", 1, false}};

struct Answer {
    std::string_view word;
    std::string_view own;
    bool is_exact;
};
constexpr Answer kAnswers[] = {
    {"tcp-reset", "tcp-reset", true},
    {"tcp-rst", "tcp-reset", true},
    {"icmp-port-unreachable", "port-unreachable", true},
    {"port-unreach", "port-unreachable", true},
    {"icmp-net-unreachable", "net-unreachable", true},
    {"net-unreach", "net-unreachable", true},
    {"icmp-host-unreachable", "host-unreachable", true},
    {"host-unreach", "host-unreachable", true},
    {"icmp-admin-prohibited", "admin-prohibited", true},
    {"admin-prohib", "admin-prohibited", true},
    {"icmp-host-prohibited", "admin-prohibited", false},
    {"host-prohib", "admin-prohibited", false},
    {"icmp-net-prohibited", "admin-prohibited", false},
    {"net-prohib", "admin-prohibited", false},
    {"icmp-proto-unreachable", "port-unreachable", false},
    {"proto-unreach", "port-unreachable", false},
    {"icmp6-port-unreachable", "port-unreachable", true},
    {"icmp6-no-route", "net-unreachable", true},
    {"no-route", "net-unreachable", true},
    {"icmp6-addr-unreachable", "host-unreachable", true},
    {"addr-unreach", "host-unreachable", true},
    {"icmp6-adm-prohibited", "admin-prohibited", true},
    {"adm-prohibited", "admin-prohibited", true},
    {"icmp6-policy-fail", "admin-prohibited", false},
    {"policy-fail", "admin-prohibited", false},
    {"icmp6-reject-route", "admin-prohibited", false},
    {"reject-route", "admin-prohibited", false},
};

void translate_reject(const ModuleUse& use, RuleDraft& draft) {
    const std::string_view word = use.word("--reject-with", "icmp-port-unreachable");
    for (const Answer& answer : kAnswers) {
        if (answer.word != word) continue;
        draft.verdict("action", "reject");
        draft.verdict_option("reject_with", answer.own);
        if (!answer.is_exact)
            draft.remark_once(
                fmt::format("'{}' becomes '{}': the sender is told so with another "
                            "code",
                            word, answer.own));
        return;
    }
    draft.refuse(fmt::format("'--reject-with {}' has no counterpart", word));
}

constexpr OptionType kCtTypes[] = {
    {"--notrack", "", 0, false},    {"--helper", "", 1, false},  {"--ctevents", "", 1, false},
    {"--expevents", "", 1, false},  {"--zone", "", 1, false},    {"--zone-orig", "", 1, false},
    {"--zone-reply", "", 1, false}, {"--timeout", "", 1, false},
};

void translate_ct(const ModuleUse& use, RuleDraft& draft) {
    if (use.options.size() != 1)
        return draft.refuse("this combination of CT options has no counterpart");
    if (use.has("--notrack")) return draft.verdict("action", "notrack");
    if (use.has("--helper")) return draft.statement("helper", std::string(use.word("--helper")));
    draft.refuse(
        fmt::format("'{}' of the CT target has no counterpart", use.options.front().type->name));
}

void translate_notrack(const ModuleUse&, RuleDraft& draft) {
    draft.verdict("action", "notrack");
}

constexpr OptionType kSynproxyTypes[] = {
    {"--mss", "", 1, false},       {"--wscale", "", 1, false}, {"--timestamp", "", 0, false},
    {"--sack-perm", "", 0, false}, {"--ecn", "", 0, false},
};

void translate_synproxy(const ModuleUse& use, RuleDraft& draft) {
    if (use.has("--ecn")) return draft.refuse("'--ecn' of the SYNPROXY target has no counterpart");
    std::string text;
    const auto add = [&text](const std::string& part) {
        if (!text.empty()) text += ", ";
        text += part;
    };
    if (use.has("--mss")) add(fmt::format("mss: {}", use.word("--mss")));
    if (use.has("--wscale")) add(fmt::format("wscale: {}", use.word("--wscale")));
    if (use.has("--timestamp")) add("timestamp: true");
    if (use.has("--sack-perm")) add("sack: true");
    draft.verdict("action", "synproxy");
    if (!text.empty()) draft.statement_flow("synproxy", "{ " + text + " }");
}

}  // namespace

const Module kTargetRejectOptions = {"REJECT", kRejectTypes, translate_reject, {}};
const Module kTargetCt = {"CT", kCtTypes, translate_ct, {}};
const Module kTargetNotrackOptions = {"NOTRACK", {}, translate_notrack, {}};
const Module kTargetSynproxyOptions = {"SYNPROXY", kSynproxyTypes, translate_synproxy, {}};

}  // namespace rampart
