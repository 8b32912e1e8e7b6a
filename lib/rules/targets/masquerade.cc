// `masquerade: true`: the packet comes from an address of the interface it leaves by.

#include <fmt/format.h>

#include "rules/nat_value.h"
#include "rules/targets/registry.h"

namespace rampart {

namespace {

constexpr NatForm kForm{.target = "masquerade",
                        .keys = nat_key::kPorts | nat_key::kRandom,
                        .needs_protocol = false,
                        .example = "masquerade: true"};

bool parse(const Value& rule, ParseContext& context, Decision& decision) {
    NatAction action{.kind = NatKind::Masquerade};
    if (!parse_nat_value(rule, kForm, context, action)) return false;
    if (rule.find("src") == nullptr && rule.find("out") == nullptr)
        context.diagnostics.warning("W110", rule.find("masquerade")->location(),
                                    "this masquerades everything, in both directions",
                                    "say for whom: add 'src' or 'out'");
    decision = translate(action);
    return true;
}

std::string print(const Decision& decision, const Names&) {
    return "masquerade: " + print_nat_value(*decision.nat, kForm);
}

std::string print_short(const Decision& decision, const Names&) {
    const NatAction& action = *decision.nat;
    return fmt::format("MASQUERADE{}{}",
                       action.has_ports ? " masq ports: " + print_nat_ports(action) : "",
                       action.is_random ? " random-fully" : "");
}

}  // namespace

const TargetType kTargetMasquerade = {
    .name = "masquerade",
    .own_key = true,
    .hooks = mask_of(Hook::Postrouting),
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary =
                "The packet and its flow come from an address of the interface it leaves by, "
                "whatever that is at the time.",
            .values = "true, or { ports, random: fully }",
            .example = "{ out: wan, src: 10.0.0.0/8, masquerade: true }",
            .iptables = "-t nat -j MASQUERADE",
            .nft = "masquerade",
        },
};

}  // namespace rampart
