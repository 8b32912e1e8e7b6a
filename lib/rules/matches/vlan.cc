// `vlan`: the VLAN id of the frame's tag.

#include "rules/matches/registry.h"
#include "rules/number_ranges.h"

namespace rampart {

namespace {

constexpr NumberName kNames[] = {{"none", 0}};
constexpr NumberSyntax kSyntax{.what = "a VLAN id", .min = 0, .max = 4094, .names = kNames};

Arguments parse(const Value& value, ParseContext& context) {
    return parse_number_ranges(value, kSyntax, context);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return arguments.as<NumberRanges>().contains(input.packet.vlan_tci & 0xfffu);
}

}  // namespace

const MatchType kMatchVlan = {
    .key = "vlan",
    .dependence = Dependence::Packet,  // one flow may be seen with several tags
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print_number_ranges,
    .families = nullptr,
    .help =
        {
            .summary = "The VLAN id of the frame; none (or 0) is a frame without a tag, or with a "
                       "tag that has only a priority.",
            .values = "a number 1-4094, a range, none, or a list",
            .example = "{ vlan: [30, 100-110], action: accept }",
            .iptables = "-m vlan (ebtables)",
            .nft = "vlan id",
        },
};

}  // namespace rampart
