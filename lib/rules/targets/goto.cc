// `goto: CHAIN`: to another chain, for good.

#include "rules/chain_name.h"
#include "rules/targets/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

bool parse(const Value& rule, ParseContext& context, Decision& decision) {
    const auto chain = parse_chain_name(*rule.find("goto"), context);
    if (!chain) return false;
    decision = {.step = Step::Goto, .chain = *chain};
    return true;
}

std::string print(const Decision& decision, const Names& names) {
    return "goto: " + print_word(names.chains[decision.chain]);
}

std::string print_short(const Decision& decision, const Names& names) {
    return names.chains[decision.chain] + " [goto]";
}

}  // namespace

const TargetType kTargetGoto = {
    .name = "goto",
    .own_key = true,
    .hooks = kAllHooks,
    .options = {},
    .parse = parse,
    .print = print,
    .print_short = print_short,
    .help =
        {
            .summary =
                "The packet is judged by another chain; what is left there returns to our caller.",
            .values = "the name of a user chain",
            .example = "{ state: new, goto: web }",
            .iptables = "-g CHAIN",
            .nft = "goto CHAIN",
        },
};

}  // namespace rampart
