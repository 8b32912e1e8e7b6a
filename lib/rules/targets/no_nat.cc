// `no_nat: true`: the flow keeps its addresses.

#include "rules/nat_value.h"
#include "rules/targets/registry.h"

namespace rampart {

namespace {

constexpr NatForm kForm{
    .target = "no_nat", .keys = 0, .needs_protocol = false, .example = "no_nat: true"};

bool parse(const Value& rule, ParseContext& context, Decision& decision) {
    NatAction action{.kind = NatKind::None};
    if (!parse_nat_value(rule, kForm, context, action)) return false;
    decision = translate(action);
    return true;
}

std::string print(const Decision& decision, const Names&) {
    return "no_nat: " + print_nat_value(*decision.nat, kForm);
}

std::string print_short(const Decision&, const Names&) {
    return "NO_NAT";
}

}  // namespace

const TargetType kTargetNoNat = {
    .name = "no_nat",
    .own_key = true,
    .hooks = kNatHooks,
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary = "The flow keeps its addresses; no later rule of this hook translates it.",
            .values = "true",
            .example = "{ dst: 10.0.0.0/8, no_nat: true }",
            .iptables = "-t nat -j ACCEPT",
            .nft = "accept",
        },
};

}  // namespace rampart
