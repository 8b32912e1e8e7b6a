// `snat: ADDRESS`: the packet comes from another source.

#include <fmt/format.h>

#include "rules/nat_value.h"
#include "rules/targets/registry.h"

namespace rampart {

namespace {

constexpr NatForm kForm{
    .target = "snat",
    .keys = nat_key::kTo | nat_key::kToPorts | nat_key::kPorts | nat_key::kRandom |
            nat_key::kPersistent,
    .needs_protocol = false,
    .example = "snat: 192.0.2.1, or { to: 192.0.2.1-192.0.2.9, ports: 1024-65535 }"};

bool parse(const Value& rule, ParseContext& context, Decision& decision) {
    NatAction action{.kind = NatKind::Snat};
    if (!parse_nat_value(rule, kForm, context, action)) return false;
    decision = translate(action);
    return true;
}

std::string print(const Decision& decision, const Names&) {
    return "snat: " + print_nat_value(*decision.nat, kForm);
}

std::string print_short(const Decision& decision, const Names&) {
    const NatAction& action = *decision.nat;
    return fmt::format("SNAT to:{}{}{}", print_nat_range(action),
                       action.is_random ? " random-fully" : "",
                       action.is_persistent ? " persistent" : "");
}

}  // namespace

const TargetType kTargetSnat = {
    .name = "snat",
    .own_key = true,
    .hooks = mask_of(Hook::Postrouting),
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary =
                "The packet and its flow come from another source. The port is kept when it is "
                "free, else another one of the same class is searched.",
            .values = "an address or a range, or { to, ports, random: fully, persistent: true } "
                      "(persistent: a source gets one address whatever its destination is)",
            .example = "{ out: wan, src: 10.0.0.0/8, snat: 192.0.2.1 }",
            .iptables = "-t nat -j SNAT --to-source",
            .nft = "snat to",
        },
};

}  // namespace rampart
