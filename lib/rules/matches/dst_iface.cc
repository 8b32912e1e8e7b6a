// `dst_iface`: the destination is an address of this interface.

#include "routing/route_lookup.h"
#include "rules/address_type.h"
#include "rules/interface_list.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

Arguments parse(const Value& value, ParseContext& context) {
    if (!check_routed(context)) return {};
    Arguments arguments = parse_interface_list(value, SetField::In, context);
    if (!arguments || arguments.as<InterfaceList>().sets.is_empty()) return arguments;
    context.diagnostics.error("E019", value.location(), "'dst_iface' takes no sets");
    return {};
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    if (input.routing == nullptr) return false;
    const Tuple& tuple = input.tuple;
    if (is_multicast_address(tuple.family, tuple.dst)) return false;
    const Route route = input.routing->find(tuple.family, tuple.dst, 0);
    return route.kind == RouteKind::Local && !route.is_broadcast &&
           arguments.as<InterfaceList>().contains(route.interface);
}

}  // namespace

const MatchType kMatchDstIface = {
    .key = "dst_iface",
    .dependence = Dependence::Packet,  // addresses change
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print_interface_list,
    .families = nullptr,
    .help =
        {
            .summary = "The destination is one of the addresses of an interface, whichever it "
                       "came in by.",
            .values = "an interface, a zone, a glob, or a list",
            .example = "{ dst_iface: wan, proto: tcp, dport: 443, action: accept }",
            .iptables = "-m addrtype --dst-type LOCAL and -d its address",
            .nft = "fib daddr oifname",
        },
};

}  // namespace rampart
