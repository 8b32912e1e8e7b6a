// `action: notrack`: the packet passes without connection tracking; it is UNTRACKED from here on.

#include "rules/targets/registry.h"

namespace rampart {

namespace {

bool parse(const Value&, ParseContext&, Decision& decision) {
    decision = {.step = Step::Notrack};
    return true;
}

std::string print(const Decision&, const Names&) {
    return "action: notrack";
}

std::string print_short(const Decision&, const Names&) {
    return "NOTRACK";
}

}  // namespace

const TargetType kTargetNotrack = {
    .name = "notrack",
    .own_key = false,
    .hooks = static_cast<HookMask>(Hook::Raw),
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary = "The packet passes without connection tracking, as UNTRACKED; an answer to "
                       "it is NEW unless a rule says notrack for that as well.",
            .values = "",
            .example = "{ proto: udp, dport: 53, action: notrack }",
            .iptables = "-t raw -j CT --notrack",
            .nft = "notrack",
        },
};

}  // namespace rampart
