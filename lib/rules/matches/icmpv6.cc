// `icmpv6`: the type and code of an ICMPv6 message (RFC 4443, RFC 4861, RFC 3810).

#include "rules/classifier/projection.h"
#include "rules/icmp_patterns.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

constexpr IcmpName kNames[] = {
    {"destination-unreachable", {1, 1}},
    {"no-route", {1, 1, 0}},
    {"communication-prohibited", {1, 1, 1}},
    {"beyond-scope", {1, 1, 2}},
    {"address-unreachable", {1, 1, 3}},
    {"port-unreachable", {1, 1, 4}},
    {"failed-policy", {1, 1, 5}},
    {"reject-route", {1, 1, 6}},
    {"packet-too-big", {2, 2}},
    {"time-exceeded", {3, 3}},
    {"ttl-zero-during-transit", {3, 3, 0}},
    {"ttl-zero-during-reassembly", {3, 3, 1}},
    {"parameter-problem", {4, 4}},
    {"bad-header", {4, 4, 0}},
    {"unknown-header-type", {4, 4, 1}},
    {"unknown-option", {4, 4, 2}},
    {"echo-request", {128, 128}},
    {"echo-reply", {129, 129}},
    {"mld-listener-query", {130, 130}},
    {"mld-listener-report", {131, 131}},
    {"mld-listener-done", {132, 132}},
    {"router-solicitation", {133, 133}},
    {"router-advertisement", {134, 134}},
    {"neighbour-solicitation", {135, 135}},
    {"neighbour-advertisement", {136, 136}},
    {"redirect", {137, 137}},
    {"router-renumbering", {138, 138}},
    {"inverse-neighbour-solicitation", {141, 141}},
    {"inverse-neighbour-advertisement", {142, 142}},
    {"mld2-listener-report", {143, 143}},
    // All four of neighbour discovery's, on the link only.
    {"neighbour-discovery", {133, 136, IcmpPattern::kAnyCode, true}},
};

Arguments parse(const Value& value, ParseContext& context) {
    return parse_icmp_patterns(value, ip_protocol::kIcmpv6, kNames, context);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const Tuple& tuple = input.tuple;
    return tuple.protocol == ip_protocol::kIcmpv6 &&
           arguments.as<IcmpPatterns>().matches(tuple.icmp_type(), tuple.icmp_code(),
                                                input.packet.hop_limit);
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    project_icmp_patterns(arguments, negated, ip_protocol::kIcmpv6, projection);
}

FamilyMask families(const Arguments&) noexcept {
    return kIpv6Only;
}

}  // namespace

const MatchType kMatchIcmpv6 = {
    .key = "icmpv6",
    // `neighbour-discovery` looks at the hop limit, which may differ from packet to packet. Only
    // types 133-136 get that far, and these are never tracked: no flow exists to keep an answer.
    .dependence = Dependence::Flow,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print_icmp_patterns,
    .families = families,
    .project = project,
    .help =
        {
            .summary = "The ICMPv6 type and code; needs proto: icmpv6.",
            .values = "a name, a type 0-255, type/code such as 1/4, or a list",
            .example = "{ proto: icmpv6, icmpv6: neighbour-discovery, action: accept }",
            .iptables = "-p icmpv6 --icmpv6-type",
            .nft = "icmpv6 type, icmpv6 code",
        },
};

}  // namespace rampart
