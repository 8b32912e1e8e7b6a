// `family`: IPv4 or IPv6.

#include "rules/classifier/projection.h"
#include "rules/matches/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

// Positions are the bits of a FamilyMask.
const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> kNames = {"ipv4", "ipv6"};
    return kNames;
}

Arguments parse(const Value& value, ParseContext& context) {
    const auto mask = static_cast<FamilyMask>(parse_word_set(value, "family", names(), context));
    return mask == 0 ? Arguments() : Arguments::make(mask);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const FamilyMask family = input.tuple.family == Family::Ipv4   ? kIpv4Only
                              : input.tuple.family == Family::Ipv6 ? kIpv6Only
                                                                   : FamilyMask{0};
    return (arguments.as<FamilyMask>() & family) != 0;
}

std::string print(const Arguments& arguments, const Names&) {
    return print_word_set(arguments.as<FamilyMask>(), names());
}

FamilyMask families(const Arguments& arguments) noexcept {
    return arguments.as<FamilyMask>();
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    const FamilyMask mask = arguments.as<FamilyMask>();
    projection.families = static_cast<FamilyMask>(projection.families & (negated ? ~mask : mask));
}

}  // namespace

const MatchType kMatchFamily = {
    .key = "family",
    .dependence = Dependence::Flow,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = families,
    .project = project,
    .help =
        {
            .summary = "The address family. A rule without it and without addresses matches both.",
            .values = "ipv4, ipv6, or a list",
            .example = "{ family: ipv6, action: drop }",
            .iptables = "the choice of iptables or ip6tables",
            .nft = "meta nfproto",
        },
};

}  // namespace rampart
