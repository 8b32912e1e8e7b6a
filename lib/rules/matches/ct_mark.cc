// `ct_mark`: what rules noted about the packet's flow with `set_ct_mark`.

#include "rules/masked_mark.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

// A packet without a flow has no such mark (netfilter: ct is null, no match).
bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return input.flow != nullptr && arguments.as<MaskedMarks>().matches(input.flow->mark.load());
}

}  // namespace

const MatchType kMatchCtMark = {
    .key = "ct_mark",
    .dependence = Dependence::Flow,  // set_ct_mark takes the cached verdicts back
    .hooks = static_cast<HookMask>(Hook::Input) | static_cast<HookMask>(Hook::Forward) |
             static_cast<HookMask>(Hook::Output) | kNatHooks,
    .parse = parse_masked_marks,
    .evaluate = evaluate,
    .print = print_masked_marks,
    .families = nullptr,
    .help =
        {
            .summary = "The mark of the flow, which rules set; 0 at first.",
            .values = "a number such as 0x10, with a mask 0x10/0xff, or a list",
            .example = "{ ct_mark: 0x10, action: accept }",
            .iptables = "-m connmark --mark",
            .nft = "ct mark",
        },
};

}  // namespace rampart
