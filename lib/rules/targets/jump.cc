// `jump: CHAIN`: to another chain and back.

#include "rules/chain_name.h"
#include "rules/targets/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

bool parse(const Value& rule, ParseContext& context, Decision& decision) {
    const auto chain = parse_chain_name(*rule.find("jump"), context);
    if (!chain) return false;
    decision = {.step = Step::Jump, .chain = *chain};
    return true;
}

std::string print(const Decision& decision, const Names& names) {
    return "jump: " + print_word(names.chains[decision.chain]);
}

std::string print_short(const Decision& decision, const Names& names) {
    return names.chains[decision.chain];
}

}  // namespace

const TargetType kTargetJump = {
    .name = "jump",
    .own_key = true,
    .hooks = kAllHooks,
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary =
                "The packet is judged by another chain and comes back if nothing there decides.",
            .values = "the name of a user chain",
            .example = "{ state: new, jump: web }",
            .iptables = "-j CHAIN",
            .nft = "jump CHAIN",
        },
};

}  // namespace rampart
