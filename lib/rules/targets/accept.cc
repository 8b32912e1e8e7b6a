// `action: accept`: the packet passes this hook.

#include "rules/targets/registry.h"

namespace rampart {

namespace {

bool parse(const Value&, ParseContext&, Decision& decision) {
    decision = {.step = Step::Accept};
    return true;
}

std::string print(const Decision&, const Names&) {
    return "action: accept";
}

std::string print_short(const Decision&, const Names&) {
    return "ACCEPT";
}

}  // namespace

const TargetType kTargetAccept = {
    .name = "accept",
    .own_key = false,
    .hooks = kAllHooks,
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary = "The packet passes; no later rule of this hook sees it.",
            .values = "",
            .example = "{ state: established, action: accept }",
            .iptables = "-j ACCEPT",
            .nft = "accept",
        },
};

}  // namespace rampart
