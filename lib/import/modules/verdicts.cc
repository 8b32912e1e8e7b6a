// Targets that end or change the way of a packet: REJECT, CT, SYNPROXY. ACCEPT, DROP and RETURN
// have no options and no modules.

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "import/modules/registry.h"
#include "import/values.h"

namespace rampart {

namespace {

constexpr OptionType kRejectTypes[] = {{"--reject-with", "", 1, false}};

// What iptables-save writes, and short forms that people type.
struct Answer {
    std::string_view word;
    std::string_view own;
};
constexpr Answer kAnswers[] = {
    {"tcp-reset", "tcp-reset"},
    {"tcp-rst", "tcp-reset"},
    {"icmp-port-unreachable", "port-unreachable"},
    {"port-unreach", "port-unreachable"},
    {"icmp-net-unreachable", "net-unreachable"},
    {"net-unreach", "net-unreachable"},
    {"icmp-host-unreachable", "host-unreachable"},
    {"host-unreach", "host-unreachable"},
    {"icmp-proto-unreachable", "proto-unreachable"},
    {"proto-unreach", "proto-unreachable"},
    {"icmp-net-prohibited", "net-prohibited"},
    {"net-prohib", "net-prohibited"},
    {"icmp-host-prohibited", "host-prohibited"},
    {"host-prohib", "host-prohibited"},
    {"icmp-admin-prohibited", "admin-prohibited"},
    {"admin-prohib", "admin-prohibited"},
    {"icmp6-port-unreachable", "port-unreachable"},
    {"icmp6-no-route", "net-unreachable"},
    {"no-route", "net-unreachable"},
    {"icmp6-addr-unreachable", "host-unreachable"},
    {"addr-unreach", "host-unreachable"},
    {"icmp6-adm-prohibited", "admin-prohibited"},
    {"adm-prohibited", "admin-prohibited"},
    {"icmp6-policy-fail", "policy-fail"},
    {"policy-fail", "policy-fail"},
    {"icmp6-reject-route", "reject-route"},
    {"reject-route", "reject-route"},
};

void translate_reject(const ModuleUse& use, RuleDraft& draft) {
    const std::string_view word = use.word("--reject-with", "icmp-port-unreachable");
    for (const Answer& answer : kAnswers) {
        if (answer.word != word) continue;
        draft.verdict("action", "reject");
        return draft.verdict_option("reject_with", answer.own);
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
