// `mark`: what earlier rules noted about this packet with `set_mark`.

#include "rules/masked_mark.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return arguments.as<MaskedMarks>().matches(input.packet.mark);
}

}  // namespace

const MatchType kMatchMark = {
    .key = "mark",
    // A rule that looks at the packet may have set it.
    .dependence = Dependence::Packet,
    .hooks = kAllHooks,
    .parse = parse_masked_marks,
    .evaluate = evaluate,
    .print = print_masked_marks,
    .families = nullptr,
    .help =
        {
            .summary = "The mark of the packet, which rules set; 0 at first.",
            .values = "a number such as 0x10, with a mask 0x10/0xff, or a list",
            .example = "{ mark: 0x10/0xff, action: accept }",
            .iptables = "-m mark --mark",
            .nft = "meta mark",
        },
};

}  // namespace rampart
