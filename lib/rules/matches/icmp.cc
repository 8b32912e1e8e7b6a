// `icmp`: the type and code of an ICMP message (RFC 792 and the registry of ICMP types).

#include "rules/classifier/projection.h"
#include "rules/icmp_patterns.h"
#include "rules/matches/registry.h"

namespace rampart {

namespace {

constexpr IcmpName kNames[] = {
    {"echo-reply", {0, 0}},
    {"destination-unreachable", {3, 3}},
    {"network-unreachable", {3, 3, 0}},
    {"host-unreachable", {3, 3, 1}},
    {"protocol-unreachable", {3, 3, 2}},
    {"port-unreachable", {3, 3, 3}},
    {"fragmentation-needed", {3, 3, 4}},
    {"source-route-failed", {3, 3, 5}},
    {"network-unknown", {3, 3, 6}},
    {"host-unknown", {3, 3, 7}},
    {"network-prohibited", {3, 3, 9}},
    {"host-prohibited", {3, 3, 10}},
    {"tos-network-unreachable", {3, 3, 11}},
    {"tos-host-unreachable", {3, 3, 12}},
    {"communication-prohibited", {3, 3, 13}},
    {"host-precedence-violation", {3, 3, 14}},
    {"precedence-cutoff", {3, 3, 15}},
    {"source-quench", {4, 4}},
    {"redirect", {5, 5}},
    {"network-redirect", {5, 5, 0}},
    {"host-redirect", {5, 5, 1}},
    {"tos-network-redirect", {5, 5, 2}},
    {"tos-host-redirect", {5, 5, 3}},
    {"echo-request", {8, 8}},
    {"router-advertisement", {9, 9}},
    {"router-solicitation", {10, 10}},
    {"time-exceeded", {11, 11}},
    {"ttl-zero-during-transit", {11, 11, 0}},
    {"ttl-zero-during-reassembly", {11, 11, 1}},
    {"parameter-problem", {12, 12}},
    {"ip-header-bad", {12, 12, 0}},
    {"required-option-missing", {12, 12, 1}},
    {"timestamp-request", {13, 13}},
    {"timestamp-reply", {14, 14}},
    {"info-request", {15, 15}},
    {"info-reply", {16, 16}},
    {"address-mask-request", {17, 17}},
    {"address-mask-reply", {18, 18}},
};

Arguments parse(const Value& value, ParseContext& context) {
    return parse_icmp_patterns(value, ip_protocol::kIcmp, kNames, context);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const Tuple& tuple = input.tuple;
    return tuple.protocol == ip_protocol::kIcmp &&
           arguments.as<IcmpPatterns>().matches(tuple.icmp_type(), tuple.icmp_code(),
                                                input.packet.hop_limit);
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    project_icmp_patterns(arguments, negated, ip_protocol::kIcmp, projection);
}

FamilyMask families(const Arguments&) noexcept {
    return kIpv4Only;
}

}  // namespace

const MatchType kMatchIcmp = {
    .key = "icmp",
    .dependence = Dependence::Flow,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print_icmp_patterns,
    .families = families,
    .project = project,
    .help =
        {
            .summary = "The ICMP type and code of IPv4; needs proto: icmp.",
            .values = "a name, a type 0-255, type/code such as 3/4, or a list",
            .example = "{ proto: icmp, icmp: echo-request, action: accept }",
            .iptables = "-p icmp --icmp-type",
            .nft = "icmp type, icmp code",
        },
};

}  // namespace rampart
