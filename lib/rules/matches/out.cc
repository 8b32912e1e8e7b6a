// `out`: the interface or zone that the packet will leave by.

#include "rules/classifier/projection.h"
#include "rules/interface_list.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

Arguments parse(const Value& value, ParseContext& context) {
    return parse_interface_list(value, SetField::Out, context);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const auto& list = arguments.as<InterfaceList>();
    return list.contains(input.out) || list.sets.holds(input);
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    projection.out &= presence_of(arguments, negated);
}

}  // namespace

const MatchType kMatchOut = {
    .key = "out",
    .dependence = Dependence::Flow,
    .hooks = static_cast<HookMask>(Hook::Forward) | static_cast<HookMask>(Hook::Output) |
             mask_of(Hook::Postrouting),
    .parse = parse,
    .evaluate = evaluate,
    .print = print_interface_list,
    .families = nullptr,
    .project = project,
    .help =
        {
            .summary = "The interface or zone that the packet will leave by.",
            .values = "an interface, a zone, a glob such as \"eth*\", \"@set\", or a list",
            .example = "{ out: lan, action: accept }",
            .iptables = "-o lan",
            .nft = "oifname lan",
        },
    .sets = sets_of_interface_list,
};

}  // namespace rampart
