// `action: continue`: counts the packet and goes on.

#include "rules/targets/registry.h"

namespace rampart {

namespace {

bool parse(const Value&, ParseContext&, Decision& decision) {
    decision = {.step = Step::Continue};
    return true;
}

std::string print(const Decision&, const Names&) {
    return "action: continue";
}

std::string print_short(const Decision&, const Names&) {
    return "CONTINUE";
}

}  // namespace

const TargetType kTargetContinue = {
    .name = "continue",
    .own_key = false,
    .hooks = kAllHooks,
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary = "The packet is counted and the next rule is tried, as without an action.",
            .values = "",
            .example = "{ state: new, action: continue }",
            .iptables = "a rule without -j",
            .nft = "continue",
        },
};

}  // namespace rampart
