// `netmap: PREFIX`: the network part of an address is exchanged.

#include "rules/nat_value.h"
#include "rules/targets/registry.h"

namespace rampart {

namespace {

constexpr NatForm kForm{.target = "netmap",
                        .keys = nat_key::kToPrefix | nat_key::kChecksumNeutral,
                        .needs_protocol = false,
                        .example = "netmap: 10.0.0.0/24"};

bool parse(const Value& rule, ParseContext& context, Decision& decision) {
    NatAction action{.kind = NatKind::Netmap};
    if (!parse_nat_value(rule, kForm, context, action)) return false;
    if (action.is_checksum_neutral && action.family != Family::Ipv6) {
        context.diagnostics.error("E018", rule.find("netmap")->location(),
                                  "'checksum_neutral' is for IPv6 prefixes");
        return false;
    }
    decision = translate(action);
    return true;
}

std::string print(const Decision& decision, const Names&) {
    return "netmap: " + print_nat_value(*decision.nat, kForm);
}

std::string print_short(const Decision& decision, const Names&) {
    const NatAction& action = *decision.nat;
    return "NETMAP to:" +
           IpRange{{action.first, action.family}, {action.last, action.family}}.to_string();
}

}  // namespace

const TargetType kTargetNetmap = {
    .name = "netmap",
    .own_key = true,
    .hooks = kNatHooks,
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary = "The network part of the address is exchanged and the rest stays: of the "
                       "destination in prerouting, of the source in postrouting.",
            .values = "a prefix, or { to: PREFIX, checksum_neutral: true } for IPv6 (RFC 6296)",
            .example = "{ in: wan, dst: 192.0.2.0/24, netmap: 10.0.0.0/24 }",
            .iptables = "-t nat -j NETMAP --to",
            .nft = "dnat ip prefix to",
        },
};

}  // namespace rampart
