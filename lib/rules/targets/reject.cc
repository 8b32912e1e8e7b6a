// `action: reject`: the packet ends here and its sender is told.

#include <fmt/format.h>

#include "rules/targets/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

constexpr std::string_view kOptions[] = {"reject_with"};

struct Answer {
    std::string_view name;
    RejectWith reject_with;
};
constexpr Answer kAnswers[] = {
    {"tcp-reset", RejectWith::TcpReset},
    {"port-unreachable", RejectWith::PortUnreachable},
    {"host-unreachable", RejectWith::HostUnreachable},
    {"net-unreachable", RejectWith::NetUnreachable},
    {"proto-unreachable", RejectWith::ProtoUnreachable},
    {"net-prohibited", RejectWith::NetProhibited},
    {"host-prohibited", RejectWith::HostProhibited},
    {"admin-prohibited", RejectWith::AdminProhibited},
    {"policy-fail", RejectWith::PolicyFail},
    {"reject-route", RejectWith::RejectRoute},
};

// netfilter's names for what is one thing here.
struct ForeignAnswer {
    std::string_view name;
    std::string_view own;
};
constexpr ForeignAnswer kForeignAnswers[] = {
    {"icmp-net-unreachable", "net-unreachable"},    {"icmp-host-unreachable", "host-unreachable"},
    {"icmp-port-unreachable", "port-unreachable"},  {"icmp-proto-unreachable", "proto-unreachable"},
    {"icmp-net-prohibited", "net-prohibited"},      {"icmp-host-prohibited", "host-prohibited"},
    {"icmp-admin-prohibited", "admin-prohibited"},  {"icmp6-no-route", "net-unreachable"},
    {"icmp6-adm-prohibited", "admin-prohibited"},   {"icmp6-addr-unreachable", "host-unreachable"},
    {"icmp6-port-unreachable", "port-unreachable"}, {"icmp6-policy-fail", "policy-fail"},
    {"icmp6-reject-route", "reject-route"},         {"no-route", "net-unreachable"},
    {"adm-prohibited", "admin-prohibited"},         {"addr-unreachable", "host-unreachable"},
    {"addr-unreach", "host-unreachable"},           {"port-unreach", "port-unreachable"},
    {"prot-unreachable", "proto-unreachable"},      {"tcp-rst", "tcp-reset"},
};

std::string_view name_of(RejectWith reject_with) {
    for (const Answer& answer : kAnswers) {
        if (answer.reject_with == reject_with) return answer.name;
    }
    return {};
}

bool report_unknown(const Value& value, ParseContext& context) {
    std::vector<std::string_view> known;
    for (const Answer& answer : kAnswers)
        known.push_back(answer.name);
    const std::string word = value.is_scalar() ? value.text() : std::string();
    std::string hint;
    for (const ForeignAnswer& foreign : kForeignAnswers)
        if (foreign.name == word) hint = fmt::format("did you mean '{}'?", foreign.own);
    if (hint.empty()) hint = did_you_mean(word, known);
    if (hint.empty()) hint = "one of: " + listed(known);
    context.diagnostics.error("E007", value.location(),
                              fmt::format("unknown 'reject_with' {}", quoted(word)),
                              std::move(hint));
    return false;
}

// Only TCP can be answered with a reset (netfilter refuses such a rule, too).
bool check_protocol(const Value& value, ParseContext& context) {
    const RuleScope& scope = context.scope;
    const bool is_reported = scope.protocol != nullptr && scope.protocols.empty();
    const bool is_tcp = scope.protocols.size() == 1 && scope.protocols[0] == ip_protocol::kTcp;
    if (is_reported || is_tcp) return true;
    context.diagnostics.error("E015", value.location(),
                              "'tcp-reset' needs 'proto: tcp' in the same rule",
                              "leave 'reject_with' out: TCP gets a reset, the rest an ICMP error");
    return false;
}

bool parse(const Value& rule, ParseContext& context, Decision& decision) {
    decision = {.step = Step::Reject, .reject_with = RejectWith::Default};
    const Value* value = rule.find("reject_with");
    if (value == nullptr) return true;
    for (const Answer& answer : kAnswers) {
        if (value->is_scalar() && value->text() == answer.name) {
            decision.reject_with = answer.reject_with;
        }
    }
    if (decision.reject_with == RejectWith::Default) return report_unknown(*value, context);
    return decision.reject_with != RejectWith::TcpReset || check_protocol(*value, context);
}

std::string print(const Decision& decision, const Names&) {
    if (decision.reject_with == RejectWith::Default) return "action: reject";
    return fmt::format("action: reject, reject_with: {}", name_of(decision.reject_with));
}

std::string print_short(const Decision& decision, const Names&) {
    if (decision.reject_with == RejectWith::Default) return "REJECT";
    return fmt::format("REJECT reject-with {}", name_of(decision.reject_with));
}

}  // namespace

const TargetType kTargetReject = {
    .name = "reject",
    .own_key = false,
    // The raw hook stands before connection tracking, which the answers need.
    .hooks = static_cast<HookMask>(Hook::Input) | static_cast<HookMask>(Hook::Forward) |
             static_cast<HookMask>(Hook::Output),
    .options = kOptions,
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary =
                "The packet is dropped and its sender is told: a reset for TCP, else an ICMP "
                "error.",
            .values =
                "reject_with: tcp-reset, port-unreachable, host-unreachable, net-unreachable, "
                "proto-unreachable, net-prohibited, host-prohibited, admin-prohibited, "
                "policy-fail or reject-route",
            .example = "{ proto: tcp, dport: 113, action: reject, reject_with: tcp-reset }",
            .iptables = "-j REJECT --reject-with",
            .nft = "reject with",
        },
};

}  // namespace rampart
