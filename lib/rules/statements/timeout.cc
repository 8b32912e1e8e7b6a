// `timeout`: how long the flow lives without packets, instead of its protocol's time.

#include "base/scalar.h"
#include "rules/statements/registry.h"

namespace rampart {

namespace {

Arguments parse(const Value& value, ParseContext& context) {
    const auto seconds = value.is_scalar() ? parse_duration_s(value.text()) : std::nullopt;
    if (seconds && *seconds >= 1 && *seconds <= kMaxTimeout_s)
        return Arguments::make(ticks_of_seconds(*seconds));
    context.diagnostics.error("E010", value.location(),
                              "'timeout' takes a duration from 1s to 231 days", "30s, 5m, 2h4m");
    return {};
}

// Kept in the flow: it is in force from the next packet on, or at once for a first one.
void execute(const Arguments& arguments, RuleInput& input) noexcept {
    if (input.flow == nullptr || input.packet.is_icmp_error) return;
    input.flow->rule_timeout = arguments.as<Tick>();
    const uint16_t status = input.flow->status.load();
    input.flow->status.store(static_cast<uint16_t>(status | flow_status::kRuleTimeout));
}

std::string print(const Arguments& arguments, const Names&) {
    return format_duration(arguments.as<Tick>() / kTicksPerSecond);
}

}  // namespace

const StatementType kStatementTimeout = {
    .key = "timeout",
    .hooks = static_cast<HookMask>(Hook::Input) | static_cast<HookMask>(Hook::Forward) |
             static_cast<HookMask>(Hook::Output),
    .parse = parse,
    .execute = execute,
    .print = print,
    .help =
        {
            .summary =
                "Replaces the timeout of the flow; of TCP and SCTP, that of the state ESTABLISHED.",
            .values = "a duration such as 30s or 2h4m",
            .example = "{ proto: udp, dport: 123, state: new, timeout: 10s, action: accept }",
            .iptables = "-j CT --timeout POLICY",
            .nft = "ct timeout set",
        },
};

}  // namespace rampart
