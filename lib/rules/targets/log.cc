// `action: log`: logs the packet and goes on; the loader adds the statement `log: true` where there
// is no `log` of its own.

#include "rules/targets/registry.h"

namespace rampart {

namespace {

bool parse(const Value&, ParseContext&, Decision& decision) {
    decision = {.step = Step::Continue};
    return true;
}

std::string print(const Decision&, const Names&) {
    return "action: log";
}

std::string print_short(const Decision&, const Names&) {
    return "LOG";
}

}  // namespace

const TargetType kTargetLog = {
    .name = "log",
    .own_key = false,
    .hooks = kAllHooks,
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary = "The packet is logged and the next rule is tried; the same as log: true.",
            .values = "",
            .example = "{ state: invalid, action: log }",
            .iptables = "-j LOG",
            .nft = "log",
        },
};

}  // namespace rampart
