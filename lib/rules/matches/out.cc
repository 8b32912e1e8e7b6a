// `out`: the interface or zone that the packet will leave by.

#include "rules/classifier/projection.h"
#include "rules/interface_list.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return arguments.as<InterfaceList>().contains(input.out);
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    projection.out &= presence_of(arguments, negated);
}

}  // namespace

const MatchType kMatchOut = {
    .key = "out",
    .dependence = Dependence::Flow,
    .hooks = static_cast<HookMask>(Hook::Forward) | static_cast<HookMask>(Hook::Output),
    .parse = parse_interface_list,
    .evaluate = evaluate,
    .print = print_interface_list,
    .families = nullptr,
    .project = project,
    .help =
        {
            .summary = "The interface or zone that the packet will leave by.",
            .values = "an interface, a zone, a glob such as \"eth*\", or a list",
            .example = "{ out: lan, action: accept }",
            .iptables = "-o lan",
            .nft = "oifname lan",
        },
};

}  // namespace rampart
