// `dst`: the destination address of the packet.

#include "rules/address_ranges.h"
#include "rules/classifier/projection.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

Arguments parse(const Value& value, ParseContext& context) {
    return parse_address_ranges(value, SetField::Dst, context);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const auto& ranges = arguments.as<AddressRanges>();
    return ranges.contains(input.tuple.family, input.tuple.dst) || ranges.sets.holds(input);
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    project_address_ranges(arguments, negated, projection.dst4, projection.dst6);
}

}  // namespace

const MatchType kMatchDst = {
    .key = "dst",
    .dependence = Dependence::Flow,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print_address_ranges,
    .families = families_of_address_ranges,
    .project = project,
    .help =
        {
            .summary = "The destination address of the packet.",
            .values =
                "an address, a prefix, a range a-b, an IPv6 address with a mask "
                "(\"::10/::ffff:ffff:ffff:ffff\"), \"@set\", or a list; families may be mixed",
            .example = "{ dst: [192.0.2.0/24, \"2001:db8::/32\"], action: accept }",
            .iptables = "-d, -m iprange --dst-range",
            .nft = "ip daddr, ip6 daddr",
        },
    .sets = sets_of_address_ranges,
};

}  // namespace rampart
