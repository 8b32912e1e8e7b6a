// `in`: the interface or zone that the packet came in on.

#include "rules/classifier/projection.h"
#include "rules/interface_list.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return arguments.as<InterfaceList>().contains(input.in);
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    projection.in &= presence_of(arguments, negated);
}

}  // namespace

const MatchType kMatchIn = {
    .key = "in",
    .dependence = Dependence::Flow,
    .hooks = static_cast<HookMask>(Hook::Raw) | static_cast<HookMask>(Hook::Input) |
             static_cast<HookMask>(Hook::Forward),
    .parse = parse_interface_list,
    .evaluate = evaluate,
    .print = print_interface_list,
    .families = nullptr,
    .project = project,
    .help =
        {
            .summary = "The interface or zone that the packet came in on.",
            .values = "an interface, a zone, a glob such as \"eth*\", or a list",
            .example = "{ in: lan, action: accept }",
            .iptables = "-i lan",
            .nft = "iifname lan",
        },
};

}  // namespace rampart
