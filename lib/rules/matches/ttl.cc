// `ttl`: the TTL of IPv4, the hop limit of IPv6, as the packet came in.

#include "rules/matches/registry.h"
#include "rules/number_ranges.h"

namespace rampart {

namespace {

constexpr NumberSyntax kSyntax{.what = "a TTL", .min = 0, .max = 255};

Arguments parse(const Value& value, ParseContext& context) {
    return parse_number_ranges(value, kSyntax, context);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return arguments.as<NumberRanges>().contains(input.packet.hop_limit);
}

}  // namespace

const MatchType kMatchTtl = {
    .key = "ttl",
    .dependence = Dependence::Packet,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print_number_ranges,
    .families = nullptr,
    .help =
        {
            .summary = "The TTL or hop limit of the packet as it came in.",
            .values = "a number 0-255, a range such as 1-5, or a list",
            .example = "{ ttl: 1-5, action: drop }",
            .iptables = "-m ttl, -m hl",
            .nft = "ip ttl, ip6 hoplimit",
        },
};

}  // namespace rampart
