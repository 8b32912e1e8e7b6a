// `dst_type`: what the destination address is to this box.

#include "rules/address_type.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return evaluate_address_types(arguments, input, input.tuple.dst);
}

}  // namespace

const MatchType kMatchDstType = {
    .key = "dst_type",
    .dependence = Dependence::Packet,  // routes change
    .hooks = kAllHooks,
    .parse = parse_address_types,
    .evaluate = evaluate,
    .print = print_address_types,
    .families = nullptr,
    .help =
        {
            .summary = "What the destination address is to this box: one of its own, a broadcast "
                       "or multicast address, or any other.",
            .values = "local, broadcast, multicast, unicast, or a list",
            .example = "{ dst_type: local, action: accept }",
            .iptables = "-m addrtype --dst-type",
            .nft = "fib daddr type",
        },
};

}  // namespace rampart
