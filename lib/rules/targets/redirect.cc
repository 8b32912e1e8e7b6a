// `redirect: PORT`: the packet goes to this host.

#include <fmt/format.h>

#include "rules/nat_value.h"
#include "rules/targets/registry.h"

namespace rampart {

namespace {

constexpr NatForm kForm{.target = "redirect",
                        .keys = nat_key::kPorts | nat_key::kRandom,
                        .needs_protocol = true,
                        .example = "redirect: 8080"};

bool parse(const Value& rule, ParseContext& context, Decision& decision) {
    NatAction action{.kind = NatKind::Redirect};
    if (!parse_nat_value(rule, kForm, context, action)) return false;
    decision = translate(action);
    return true;
}

std::string print(const Decision& decision, const Names&) {
    return "redirect: " + print_nat_value(*decision.nat, kForm);
}

std::string print_short(const Decision& decision, const Names&) {
    const NatAction& action = *decision.nat;
    return fmt::format("REDIRECT{}{}",
                       action.has_ports ? " redir ports " + print_nat_ports(action) : "",
                       action.is_random ? " random" : "");
}

}  // namespace

const TargetType kTargetRedirect = {
    .name = "redirect",
    .own_key = true,
    .hooks = mask_of(Hook::Prerouting),
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary = "The packet and its flow go to this host: to an address of the interface it "
                       "came in by.",
            .values = "a port or a range, true to keep the port, or { ports, random: fully }",
            .example = "{ in: lan, proto: tcp, dport: 80, redirect: 8080 }",
            .iptables = "-t nat -j REDIRECT --to-ports",
            .nft = "redirect to",
        },
};

}  // namespace rampart
