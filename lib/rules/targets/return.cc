// `action: return`: back to the rule after the jump.

#include "rules/targets/registry.h"

namespace rampart {

namespace {

bool parse(const Value&, ParseContext&, Decision& decision) {
    decision = {.step = Step::Return};
    return true;
}

std::string print(const Decision&, const Names&) {
    return "action: return";
}

std::string print_short(const Decision&, const Names&) {
    return "RETURN";
}

}  // namespace

const TargetType kTargetReturn = {
    .name = "return",
    .own_key = false,
    .hooks = kAllHooks,
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary = "Back to the rule after the jump; in a base chain, its policy.",
            .values = "",
            .example = "{ src: 192.0.2.1, action: return }",
            .iptables = "-j RETURN",
            .nft = "return",
        },
};

}  // namespace rampart
