// `src`: the source address of the packet.

#include "rules/address_ranges.h"
#include "rules/classifier/projection.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

Arguments parse(const Value& value, ParseContext& context) {
    return parse_address_ranges(value, SetField::Src, context);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const auto& ranges = arguments.as<AddressRanges>();
    return ranges.contains(input.tuple.family, input.tuple.src) || ranges.sets.holds(input);
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    project_address_ranges(arguments, negated, projection.src4, projection.src6);
}

}  // namespace

const MatchType kMatchSrc = {
    .key = "src",
    .dependence = Dependence::Flow,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print_address_ranges,
    .families = families_of_address_ranges,
    .project = project,
    .help =
        {
            .summary = "The source address of the packet.",
            .values =
                "an address, a prefix, a range a-b, an IPv6 address with a mask "
                "(\"::10/::ffff:ffff:ffff:ffff\"), \"@set\", or a list; families may be mixed",
            .example = "{ src: [192.0.2.0/24, \"2001:db8::/32\"], action: accept }",
            .iptables = "-s, -m iprange --src-range",
            .nft = "ip saddr, ip6 saddr",
        },
    .sets = sets_of_address_ranges,
};

}  // namespace rampart
