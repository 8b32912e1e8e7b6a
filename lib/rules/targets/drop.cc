// `action: drop`: the packet ends here, without an answer.

#include "rules/targets/registry.h"

namespace rampart {

namespace {

bool parse(const Value&, ParseContext&, Decision& decision) {
    decision = {.step = Step::Drop};
    return true;
}

std::string print(const Decision&, const Names&) {
    return "action: drop";
}

std::string print_short(const Decision&, const Names&) {
    return "DROP";
}

}  // namespace

const TargetType kTargetDrop = {
    .name = "drop",
    .own_key = false,
    .hooks = kFilterHooks,
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary = "The packet is dropped without an answer.",
            .values = "",
            .example = "{ state: invalid, action: drop }",
            .iptables = "-j DROP",
            .nft = "drop",
        },
};

}  // namespace rampart
