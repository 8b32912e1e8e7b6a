// `frag`: whether the packet came in fragments; rules see the datagram whole.

#include "base/scalar.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

Arguments parse(const Value& value, ParseContext& context) {
    const auto flag = value.is_scalar() ? parse_bool(value.text()) : std::nullopt;
    if (flag) return Arguments::make(*flag);
    context.diagnostics.error("E005", value.location(), "'frag' is true or false");
    return {};
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return input.packet.is_datagram == arguments.as<bool>();
}

std::string print(const Arguments& arguments, const Names&) {
    return arguments.as<bool>() ? "true" : "false";
}

}  // namespace

const MatchType kMatchFrag = {
    .key = "frag",
    .dependence = Dependence::Packet,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .help =
        {
            .summary = "Whether the packet was put together from fragments; rules never see a "
                       "single fragment.",
            .values = "true or false",
            .example = "{ frag: true, proto: udp, action: drop }",
            .iptables = "-f (of the whole datagram)",
            .nft = "ip frag-off",
        },
};

}  // namespace rampart
