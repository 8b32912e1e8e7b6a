#include "import/modules/registry.h"

namespace rampart {

namespace {

constexpr const Module* kMatches[] = {
    &kMatchTcpOptions,   &kMatchUdpOptions,       &kMatchSctpOptions,      &kMatchMultiport,
    &kMatchIcmpType,     &kMatchIcmp6Type,        &kMatchIprange,          &kMatchMacOptions,
    &kMatchDscpOptions,  &kMatchTtlOptions,       &kMatchHopLimit,         &kMatchLengthOptions,
    &kMatchPkttype,      &kMatchAddrtype,         &kMatchPhysdev,          &kMatchRpfilter,
    &kMatchStateOptions, &kMatchConntrackOptions, &kMatchMarkOptions,      &kMatchConnmark,
    &kMatchComment,      &kMatchHelperOptions,    &kMatchLimitOptions,     &kMatchHashlimit,
    &kMatchSetOptions,   &kMatchRecent,           &kMatchConnlimitOptions,
};

constexpr const Module* kTargets[] = {
    &kTargetLogOptions,
    &kTargetNflog,
    &kTargetMarkOptions,
    &kTargetConnmark,
    &kTargetDscpOptions,
    &kTargetTcpmss,
    &kTargetSetOptions,
    &kTargetRejectOptions,
    &kTargetCt,
    &kTargetNotrackOptions,
    &kTargetSynproxyOptions,
    &kTargetSnatOptions,
    &kTargetDnatOptions,
    &kTargetMasqueradeOptions,
    &kTargetRedirectOptions,
    &kTargetNetmapOptions,
};

constexpr std::string_view kOfTheBox =
    "it asks about processes and sockets of this box, and "
    "forwarded packets have none";

// Why there is no counterpart.
constexpr Module kRefusedMatches[] = {
    {"string", {}, nullptr, "Rampart does not search the payload of packets"},
    {"u32", {}, nullptr, "Rampart has no match on arbitrary bytes"},
    {"bpf", {}, nullptr, "Rampart runs no programs for single rules"},
    {"owner", {}, nullptr, kOfTheBox},
    {"cgroup", {}, nullptr, kOfTheBox},
    {"socket", {}, nullptr, kOfTheBox},
    {"ipvs", {}, nullptr, "there is no IPVS beside Rampart"},
    {"policy", {}, nullptr, "Rampart does no IPsec"},
    {"statistic", {}, nullptr, "Rampart matches nothing at random"},
    {"nth", {}, nullptr, "Rampart matches nothing at random"},
    {"random", {}, nullptr, "Rampart matches nothing at random"},
    {"connbytes", {}, nullptr, "Rampart has no match on the bytes of a flow"},
    {"connlabel", {}, nullptr, "Rampart has no labels of flows"},
    {"quota", {}, nullptr, "Rampart has no quotas"},
    {"rateest", {}, nullptr, "Rampart has no rate estimators"},
    {"time", {}, nullptr, "times of day are not imported; write the rule by hand"},
    {"tcpmss", {}, nullptr, "Rampart has no match on the segment size; 'tcp_mss' sets it"},
    {"ecn", {}, nullptr, "Rampart has no match on congestion notification"},
    {"tos", {}, nullptr, "Rampart matches 'dscp', not the whole byte"},
    {"esp", {}, nullptr, "Rampart has no match on security parameter indexes"},
    {"ah", {}, nullptr, "Rampart has no match on security parameter indexes"},
    {"dccp", {}, nullptr, "Rampart has no match on the ports of DCCP"},
    {"osf", {}, nullptr, "Rampart does not guess operating systems"},
    {"realm", {}, nullptr, "Rampart has no routing realms"},
    {"devgroup", {}, nullptr, "Rampart has no device groups; use 'zones'"},
    {"cluster", {}, nullptr, "Rampart shares no address between machines"},
    {"cpu", {}, nullptr, "which CPU has a packet is Rampart's own business"},
    {"geoip", {}, nullptr, "Rampart knows no countries; use a set with a file"},
    {"frag", {}, nullptr, "fragments are put together before any rule sees them"},
    {"ipv6header", {}, nullptr, "Rampart has no match on extension headers"},
    {"rt", {}, nullptr, "Rampart has no match on extension headers"},
    {"hbh", {}, nullptr, "Rampart has no match on extension headers"},
    {"dst", {}, nullptr, "Rampart has no match on extension headers"},
    {"mh", {}, nullptr, "Rampart has no match on extension headers"},
    {"eui64", {}, nullptr, "Rampart has no match on interface identifiers"},
};

constexpr Module kRefusedTargets[] = {
    {"TPROXY", {}, nullptr, "Rampart hands no packets to processes of this box"},
    {"NFQUEUE", {}, nullptr, "Rampart hands no packets to processes of this box"},
    {"QUEUE", {}, nullptr, "Rampart hands no packets to processes of this box"},
    {"ULOG", {}, nullptr, "the ULOG target is gone from Linux, too; use LOG or NFLOG"},
    {"IDLETIMER", {}, nullptr, "Rampart has no idle timers"},
    {"LED", {}, nullptr, "Rampart has no lamps"},
    {"SECMARK", {}, nullptr, "Rampart has no security marks"},
    {"CONNSECMARK", {}, nullptr, "Rampart has no security marks"},
    {"AUDIT", {}, nullptr, "Rampart writes no audit records; use LOG"},
    {"CLUSTERIP", {}, nullptr, "Rampart shares no address between machines"},
    {"CHECKSUM", {}, nullptr, "Rampart fills in no checksums for others"},
    {"CLASSIFY", {}, nullptr, "Rampart has no traffic classes"},
    {"TOS", {}, nullptr, "Rampart sets 'dscp', not the whole byte"},
    {"TTL", {}, nullptr, "Rampart does not change the TTL"},
    {"HL", {}, nullptr, "Rampart does not change the hop limit"},
    {"ECN", {}, nullptr, "Rampart does not change congestion notification"},
    {"TEE", {}, nullptr, "Rampart does not copy packets"},
    {"TRACE", {}, nullptr, "tracing is a command, not a rule: rampartctl trace"},
    {"RATEEST", {}, nullptr, "Rampart has no rate estimators"},
    {"HMARK", {}, nullptr, "Rampart computes no marks"},
    {"TCPOPTSTRIP", {}, nullptr, "Rampart removes no TCP options"},
    {"MIRROR", {}, nullptr, "Rampart mirrors no packets"},
    {"SAME", {}, nullptr, "the SAME target is gone from Linux, too; use SNAT"},
};

struct ProtocolModule {
    std::string_view protocol;
    const Module* module;
};
constexpr ProtocolModule kOfProtocols[] = {
    {"tcp", &kMatchTcpOptions},   {"6", &kMatchTcpOptions},        {"udp", &kMatchUdpOptions},
    {"17", &kMatchUdpOptions},    {"udplite", &kMatchUdpOptions},  {"136", &kMatchUdpOptions},
    {"sctp", &kMatchSctpOptions}, {"132", &kMatchSctpOptions},     {"icmp", &kMatchIcmpType},
    {"1", &kMatchIcmpType},       {"ipv6-icmp", &kMatchIcmp6Type}, {"icmpv6", &kMatchIcmp6Type},
    {"icmp6", &kMatchIcmp6Type},  {"58", &kMatchIcmp6Type},
};

template <typename T>
const Module* find(const T& modules, std::string_view name) noexcept {
    for (const Module* module : modules) {
        if (module->name == name) return module;
    }
    return nullptr;
}

const Module* find_refused(std::span<const Module> modules, std::string_view name) noexcept {
    for (const Module& module : modules) {
        if (module.name == name) return &module;
    }
    return nullptr;
}

}  // namespace

const Module* find_match_module(std::string_view name) noexcept {
    // Other names of the same module.
    if (name == "icmpv6") name = "icmp6";
    if (name == "udplite") name = "udp";
    const Module* module = find(kMatches, name);
    return module != nullptr ? module : find_refused(kRefusedMatches, name);
}

const Module* find_target_module(std::string_view name) noexcept {
    const Module* module = find(kTargets, name);
    return module != nullptr ? module : find_refused(kRefusedTargets, name);
}

const Module* find_protocol_module(std::string_view protocol) noexcept {
    for (const ProtocolModule& entry : kOfProtocols) {
        if (entry.protocol == protocol) return entry.module;
    }
    return nullptr;
}

const OptionUse* ModuleUse::find(std::string_view name) const noexcept {
    for (const OptionUse& option : options) {
        if (option.type->name == name) return &option;
    }
    return nullptr;
}

std::string_view ModuleUse::word(std::string_view name, std::string_view otherwise) const noexcept {
    const OptionUse* use = find(name);
    return use == nullptr || use->words.empty() ? otherwise : std::string_view(use->words.front());
}

const OptionType* Module::find_option(std::string_view word) const noexcept {
    for (const OptionType& option : options) {
        if (option.name == word || (!option.alias.empty() && option.alias == word)) return &option;
    }
    return nullptr;
}

}  // namespace rampart
