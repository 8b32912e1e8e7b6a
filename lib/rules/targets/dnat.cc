// `dnat: ADDRESS`: the packet goes to another destination.

#include <fmt/format.h>

#include "base/scalar.h"
#include "rules/nat_value.h"
#include "rules/targets/registry.h"

namespace rampart {

namespace {

constexpr std::string_view kOptions[] = {"hairpin"};

constexpr NatForm kForm{.target = "dnat",
                        .keys = nat_key::kTo | nat_key::kToPorts | nat_key::kRandom |
                                nat_key::kPersistent | nat_key::kShift,
                        .needs_protocol = true,
                        .example = "dnat: 192.0.2.1, or \"192.0.2.1:80\""};

// The addresses of `in` are asked for, and a set may hold any interface.
bool check_interfaces(const Value& rule, ParseContext& context) {
    const Value* in = rule.find("in");
    if (in == nullptr || rule.find("dst") != nullptr) return true;
    const std::vector<Value> one{*in};
    for (const Value& word : in->is_list() ? in->items() : one) {
        if (!word.is_scalar() || !word.text().starts_with('@')) continue;
        context.diagnostics.error("E016", word.location(),
                                  "'hairpin' needs the names of interfaces in 'in', or 'dst'");
        return false;
    }
    return true;
}

bool parse(const Value& rule, ParseContext& context, Decision& decision) {
    NatAction action{.kind = NatKind::Dnat};
    if (!parse_nat_value(rule, kForm, context, action)) return false;
    if (const Value* hairpin = rule.find("hairpin")) {
        const auto flag = hairpin->is_scalar() ? parse_bool(hairpin->text()) : std::nullopt;
        if (!flag) {
            context.diagnostics.error("E005", hairpin->location(), "'hairpin' is true or false");
            return false;
        }
        if (*flag && !check_interfaces(rule, context)) return false;
        action.is_hairpin = *flag;
    }
    decision = translate(action);
    return true;
}

std::string print(const Decision& decision, const Names&) {
    return "dnat: " + print_nat_value(*decision.nat, kForm) +
           (decision.nat->is_hairpin ? ", hairpin: true" : "");
}

std::string print_short(const Decision& decision, const Names&) {
    const NatAction& action = *decision.nat;
    return fmt::format("DNAT to:{}{}{}", print_nat_range(action), action.is_random ? " random" : "",
                       action.is_persistent ? " persistent" : "");
}

}  // namespace

const TargetType kTargetDnat = {
    .name = "dnat",
    .own_key = true,
    .hooks = mask_of(Hook::Prerouting),
    .options = kOptions,
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary =
                "The packet and its flow go to another destination. With a range the address is "
                "chosen by the source and destination; the port is kept where it is in the range.",
            .values =
                "an address or a range, with a port or ports: 192.0.2.1, \"192.0.2.1:80\", "
                "\"[2001:db8::1]:80\"; or { to, random: fully, persistent: true, shift: true } "
                "(shift: port n of dport becomes port n of the range). hairpin: true translates "
                "what comes from other interfaces to the addresses of `in`, too",
            .example = "{ in: wan, proto: tcp, dport: 80, dnat: \"192.0.2.1:8080\" }",
            .iptables = "-t nat -j DNAT --to-destination",
            .nft = "dnat to",
        },
};

}  // namespace rampart
