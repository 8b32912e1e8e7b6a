// `dscp`: the differentiated services code point.

#include "rules/dscp.h"

#include "rules/matches/registry.h"

namespace rampart {

namespace {

Arguments parse(const Value& value, ParseContext& context) {
    return parse_number_ranges(value, kDscpSyntax, context);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return arguments.as<NumberRanges>().contains(dscp_of(input.packet));
}

}  // namespace

const MatchType kMatchDscp = {
    .key = "dscp",
    .dependence = Dependence::Packet,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print_number_ranges,
    .families = nullptr,
    .help =
        {
            .summary = "The DSCP field of the packet.",
            .values = "a name (ef, cs1, af21 ...), a number 0-63, a range, or a list",
            .example = "{ dscp: [ef, cs6], action: accept }",
            .iptables = "-m dscp --dscp, --dscp-class",
            .nft = "ip dscp, ip6 dscp",
        },
};

}  // namespace rampart
