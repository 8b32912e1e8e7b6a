// `src_type`: what the source address is to this box.

#include "rules/address_type.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return evaluate_address_types(arguments, input, input.tuple.src);
}

}  // namespace

const MatchType kMatchSrcType = {
    .key = "src_type",
    .dependence = Dependence::Packet,  // routes change
    .hooks = kAllHooks,
    .parse = parse_address_types,
    .evaluate = evaluate,
    .print = print_address_types,
    .families = nullptr,
    .help =
        {
            .summary = "What the source address is to this box: one of its own, a broadcast "
                       "or multicast address, or any other.",
            .values = "local, broadcast, multicast, unicast, or a list",
            .example = "{ src_type: multicast, action: drop }",
            .iptables = "-m addrtype --src-type",
            .nft = "fib saddr type",
        },
};

}  // namespace rampart
