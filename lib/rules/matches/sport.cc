// `sport`: the source port of TCP, UDP, SCTP and UDP-Lite.

#include "rules/classifier/projection.h"
#include "rules/matches/registry.h"
#include "rules/port_ranges.h"

namespace rampart {

namespace {

Arguments parse(const Value& value, ParseContext& context) {
    return parse_port_ranges(value, SetField::Sport, context);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return evaluate_port_ranges(arguments, input, input.tuple.src_port);
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    project_port_ranges(arguments, negated, projection, projection.src_port);
}

}  // namespace

const MatchType kMatchSport = {
    .key = "sport",
    .dependence = Dependence::Flow,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print_port_ranges,
    .families = nullptr,
    .project = project,
    .help =
        {
            .summary = "The source port; the rule must name protocols with ports.",
            .values = "a port, a range such as 8000-8999, \"@set\", or a list",
            .example = "{ proto: tcp, sport: [22, 8000-8999], action: accept }",
            .iptables = "--sport, -m multiport --sports",
            .nft = "th sport",
        },
    .sets = sets_of_port_ranges,
};

}  // namespace rampart
