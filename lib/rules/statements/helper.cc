// `helper`: a helper reads what this flow says, and expects the flows that it announces.

#include <algorithm>

#include <fmt/format.h>

#include "conntrack/helper_names.h"
#include "rules/protocols.h"
#include "rules/statements/registry.h"

namespace rampart {

namespace {

// What each one's control connections are made of.
struct Spoken {
    bool tcp;
    bool udp;
};

constexpr Spoken spoken_by(uint8_t helper) noexcept {
    switch (helper) {
        case helper_number::kTftp:
            return {false, true};
        case helper_number::kSip:
            return {true, true};
        default:
            return {true, false};
    }
}

bool check_protocols(uint8_t helper, ParseContext& context) {
    const RuleScope& scope = context.scope;
    if (scope.protocol != nullptr && scope.protocols.empty()) return true;  // reported
    const Spoken spoken = spoken_by(helper);
    const auto is_spoken = [spoken](uint8_t protocol) {
        return (spoken.tcp && protocol == ip_protocol::kTcp) ||
               (spoken.udp && protocol == ip_protocol::kUdp);
    };
    if (!scope.protocols.empty() &&
        std::all_of(scope.protocols.begin(), scope.protocols.end(), is_spoken))
        return true;
    const char* needed =
        !spoken.udp ? "'proto: tcp'" : (spoken.tcp ? "'proto: tcp' or 'udp'" : "'proto: udp'");
    context.diagnostics.error(
        "E015", context.key_location,
        fmt::format("helper '{}' needs {} in the same rule", kHelperNames[helper], needed));
    return false;
}

Arguments parse(const Value& value, ParseContext& context) {
    const std::string word = value.is_scalar() ? value.text() : std::string();
    const uint8_t helper = helper_number_of(word);
    if (helper == helper_number::kNone) {
        const std::vector<std::string_view> known(std::begin(kHelperNames) + 1,
                                                  std::end(kHelperNames));
        std::string hint = did_you_mean(word, known);
        context.diagnostics.error("E007", value.location(),
                                  fmt::format("unknown helper {}", quoted(word)),
                                  hint.empty() ? "one of: " + listed(known) : std::move(hint));
        return {};
    }
    if (!check_protocols(helper, context)) return {};
    return Arguments::make(helper);
}

void execute(const Arguments& arguments, RuleInput& input) noexcept {
    input.wanted_helper = arguments.as<uint8_t>();
}

std::string print(const Arguments& arguments, const Names&) {
    return std::string(kHelperNames[arguments.as<uint8_t>()]);
}

}  // namespace

const StatementType kStatementHelper = {
    .key = "helper",
    .hooks = mask_of(Hook::Raw),
    .parse = parse,
    .execute = execute,
    .print = print,
    .help =
        {
            .summary = "A helper reads what the flow says and expects the flows that it announces; "
                       "they are RELATED. No flow has one without such a rule.",
            .values = "ftp, tftp, irc, sip or pptp",
            .example = "{ in: lan, proto: tcp, dport: 21, helper: ftp }",
            .iptables = "-t raw -j CT --helper",
            .nft = "ct helper set",
        },
};

}  // namespace rampart
