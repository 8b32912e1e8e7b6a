// `in`: the interface or zone that the packet came in on.

#include "rules/classifier/projection.h"
#include "rules/interface_list.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

Arguments parse(const Value& value, ParseContext& context) {
    return parse_interface_list(value, SetField::In, context);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const auto& list = arguments.as<InterfaceList>();
    return list.contains(input.in) || list.sets.holds(input);
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    projection.in &= presence_of(arguments, negated);
}

}  // namespace

const MatchType kMatchIn = {
    .key = "in",
    .dependence = Dependence::Flow,
    .hooks = static_cast<HookMask>(Hook::Raw) | static_cast<HookMask>(Hook::Input) |
             static_cast<HookMask>(Hook::Forward) | mask_of(Hook::Prerouting),
    .parse = parse,
    .evaluate = evaluate,
    .print = print_interface_list,
    .families = nullptr,
    .project = project,
    .help =
        {
            .summary = "The interface or zone that the packet came in on.",
            .values = "an interface, a zone, a glob such as \"eth*\", \"@set\", or a list",
            .example = "{ in: lan, action: accept }",
            .iptables = "-i lan",
            .nft = "iifname lan",
        },
    .sets = sets_of_interface_list,
};

}  // namespace rampart
