// `length`: the length of the IP packet, headers included.

#include "rules/matches/registry.h"
#include "rules/number_ranges.h"

namespace rampart {

namespace {

constexpr NumberSyntax kSyntax{.what = "a length", .min = 0, .max = 65535};

Arguments parse(const Value& value, ParseContext& context) {
    return parse_number_ranges(value, kSyntax, context);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return arguments.as<NumberRanges>().contains(input.packet.ip_length);
}

}  // namespace

const MatchType kMatchLength = {
    .key = "length",
    .dependence = Dependence::Packet,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print_number_ranges,
    .families = nullptr,
    .help =
        {
            .summary = "The length of the IP packet in bytes, its header included; of a datagram, "
                       "when it is whole.",
            .values = "a number 0-65535, a range such as 0-576, or a list",
            .example = "{ proto: icmp, length: 1000-65535, action: drop }",
            .iptables = "-m length --length",
            .nft = "meta length",
        },
};

}  // namespace rampart
