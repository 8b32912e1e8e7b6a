// `match`: several things of the packet, looked up together in a set of concatenations.

#include <fmt/format.h>

#include "rules/matches/registry.h"
#include "rules/sets/set_key_value.h"

namespace rampart {

namespace {

struct SetMatch {
    SetUses uses;
    std::string text;
};

Arguments parse(const Value& value, ParseContext& context) {
    auto spelled = parse_set_key(value, SetKeyOptions::Match, context);
    if (!spelled) return {};
    SetMatch match;
    match.text = std::move(spelled->text);
    match.uses.add(std::move(spelled->use));
    return Arguments::make(std::move(match));
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return arguments.as<SetMatch>().uses.holds(input);
}

std::string print(const Arguments& arguments, const Names&) {
    return arguments.as<SetMatch>().text;
}

const SetUses* sets(const Arguments& arguments) noexcept {
    return &arguments.as<SetMatch>().uses;
}

}  // namespace

const MatchType kMatchMatch = {
    .key = "match",
    .dependence = Dependence::Flow,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .help =
        {
            .summary = "Looks several things of the packet up in a set together.",
            .values = "\"@set\", or { set, key }; key defaults to dst, proto and dport, as far as "
                      "the type has them, and to src and dst for net,net",
            .example = "{ match: { set: \"@pinned\", key: [src, proto, sport] }, action: accept }",
            .iptables = "-m set --match-set pinned dst,dst",
            .nft = "ip daddr . meta l4proto . th dport @pinned",
        },
    .sets = sets,
};

}  // namespace rampart
