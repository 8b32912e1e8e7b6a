// What stands in the headers of a packet: addresses, protocol, ports, ICMP types, TTL, DSCP.

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "base/scalar.h"
#include "import/modules/registry.h"
#include "import/values.h"
#include "rules/protocols.h"

namespace rampart {

namespace {

constexpr OptionType kRuleOptionTypes[] = {
    {"-s", "--source", 1, true},
    {"-d", "--destination", 1, true},
    {"-i", "--in-interface", 1, true},
    {"-o", "--out-interface", 1, true},
    {"-p", "--protocol", 1, true},
    {"-f", "--fragment", 0, true},
    {"--src", "", 1, true},
    {"--dst", "", 1, true},
    {"--proto", "", 1, true},
};

void translate_addresses(const OptionUse& option, std::string_view key, RuleDraft& draft) {
    std::vector<std::string> words;
    for (const std::string& part : split_list(option.word())) {
        const auto word = address_word(part, draft.family());
        if (!word)
            return draft.refuse(quoted(part) + " is no address that a rule can have",
                                "names of hosts and masks with gaps are not imported");
        if (word->empty()) {
            if (option.negated) draft.never_matches("it is for no address at all");
            return;
        }
        words.push_back(*word);
    }
    draft.match(key, std::move(words), option.negated);
}

bool is_interface_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    });
}

void translate_interface(const OptionUse& option, std::string_view key, RuleDraft& draft) {
    std::string name = option.word();
    const bool is_prefix = name.ends_with('+');
    if (is_prefix) name.pop_back();
    if (is_prefix && name.empty()) {
        if (option.negated) draft.never_matches("it is for no interface at all");
        return;
    }
    if (!is_interface_name(name) || name.size() > 15)
        return draft.refuse(quoted(option.word()) + " cannot be the name of an interface");
    draft.match(key, {is_prefix ? name + '*' : name}, option.negated);
}

// Names of /etc/protocols that the language spells otherwise.
std::optional<uint8_t> protocol_number(std::string_view word) {
    static const std::map<std::string_view, uint8_t> kAliases = {
        {"icmp6", 58},     {"ipv6-icmp", 58},  {"ipencap", 4},     {"hopopt", 0},
        {"ipv6-frag", 44}, {"ipv6-route", 43}, {"ipv6-nonxt", 59}, {"ipv6-opts", 60},
        {"ipv6-mh", 135},  {"mh", 135},        {"rdp", 27},        {"idpr-cmtp", 38},
        {"ospfigp", 89},   {"carp", 112},      {"hip", 139}};
    const std::string lower = lower_case(word);
    if (const auto alias = kAliases.find(lower); alias != kAliases.end()) return alias->second;
    return parse_protocol(lower);
}

void translate_protocol(const OptionUse& option, RuleDraft& draft) {
    const std::string& word = option.word();
    if (word == "all" || word == "0") {
        if (option.negated) draft.never_matches("it is for no protocol at all");
        return;
    }
    const auto number = protocol_number(word);
    if (!number) return draft.refuse("unknown protocol " + quoted(word));
    draft.match("proto", {print_protocol(*number)}, option.negated);
}

void translate_rule_options(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        const std::string_view name = option.type->name;
        if (name == "-s" || name == "--src") translate_addresses(option, "src", draft);
        if (name == "-d" || name == "--dst") translate_addresses(option, "dst", draft);
        if (name == "-i") translate_interface(option, "in", draft);
        if (name == "-o") translate_interface(option, "out", draft);
        if (name == "-p" || name == "--proto") translate_protocol(option, draft);
        if (name == "-f" && !option.negated)
            draft.never_matches("fragments are put together before any rule sees them");
    }
}

// -- TCP, UDP, SCTP -----------------------------------------------------------------------------

constexpr OptionType kTcpTypes[] = {
    {"--sport", "--source-port", 1, true}, {"--dport", "--destination-port", 1, true},
    {"--tcp-flags", "", 2, true},          {"--syn", "", 0, true},
    {"--tcp-option", "", 1, true},
};
constexpr OptionType kPortTypes[] = {
    {"--sport", "--source-port", 1, true},
    {"--dport", "--destination-port", 1, true},
    {"--chunk-types", "", 2, true},
};

void translate_port(const OptionUse& option, std::string_view key, RuleDraft& draft) {
    const auto word = port_range_word(option.word());
    if (!word)
        return draft.refuse(quoted(option.word()) + " is no port or range of ports",
                            "iptables-save writes ports as numbers");
    draft.match(key, {*word}, option.negated);
}

// Flags in the order of the header, lower case; nothing when a word is none.
std::optional<std::string> flag_list(std::string_view list) {
    constexpr std::string_view kFlags[] = {"fin", "syn", "rst", "psh", "ack", "urg"};
    if (list == "NONE") return "none";
    if (list == "ALL") return "fin,syn,rst,psh,ack,urg";
    std::string result;
    const auto words = split_list(lower_case(list));
    for (const std::string& word : words) {
        if (std::find(std::begin(kFlags), std::end(kFlags), word) == std::end(kFlags))
            return std::nullopt;
    }
    for (const std::string_view flag : kFlags) {
        if (std::find(words.begin(), words.end(), flag) == words.end()) continue;
        if (!result.empty()) result += ',';
        result += flag;
    }
    return result;
}

void translate_tcp_flags(const OptionUse& option, RuleDraft& draft) {
    const auto mask = flag_list(option.words[0]);
    const auto set = flag_list(option.words[1]);
    if (!mask || !set || *mask == "none")
        return draft.refuse(
            fmt::format("{} {} are no TCP flags", option.words[0], option.words[1]));
    draft.match("tcp_flags", {*set + "/" + *mask}, option.negated);
}

void translate_transport(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        const std::string_view name = option.type->name;
        if (name == "--sport") translate_port(option, "sport", draft);
        if (name == "--dport") translate_port(option, "dport", draft);
        if (name == "--tcp-flags") translate_tcp_flags(option, draft);
        if (name == "--syn") draft.match("tcp_flags", {"syn/fin,syn,rst,ack"}, option.negated);
        if (name == "--tcp-option") draft.refuse("Rampart has no match on TCP options");
        if (name == "--chunk-types") draft.refuse("Rampart has no match on SCTP chunks");
    }
}

constexpr OptionType kMultiportTypes[] = {
    {"--sports", "--source-ports", 1, true},
    {"--dports", "--destination-ports", 1, true},
    {"--ports", "", 1, true},
};

void translate_multiport(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        auto words = port_words(option.word());
        if (!words) {
            draft.refuse(quoted(option.word()) + " is no list of ports");
            continue;
        }
        const std::string_view name = option.type->name;
        const bool is_either = name == "--ports";
        if (is_either && !option.negated) {
            draft.match_any_of({{"sport", *words, false, false}, {"dport", *words, false, false}});
            continue;
        }
        if (name != "--dports") draft.match("sport", *words, option.negated);
        if (name != "--sports") draft.match("dport", *words, option.negated);
    }
}

// -- ICMP ---------------------------------------------------------------------------------------

constexpr OptionType kIcmpTypes[] = {{"--icmp-type", "", 1, true}};
constexpr OptionType kIcmp6Types[] = {{"--icmpv6-type", "--icmp6-type", 1, true}};

void translate_icmp(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        const auto word = icmp_word(option.word());
        if (!word) {
            draft.refuse(quoted(option.word()) + " is no ICMP type");
        } else if (!word->empty()) {
            const bool is_v4 = option.type->name == "--icmp-type";
            draft.match(is_v4 ? "icmp" : "icmpv6", {*word}, option.negated);
        } else if (option.negated) {
            draft.never_matches("it is for no ICMP type at all");
        }
    }
}

// -- further fields -----------------------------------------------------------------------------

constexpr OptionType kIprangeTypes[] = {
    {"--src-range", "", 1, true},
    {"--dst-range", "", 1, true},
};

void translate_iprange(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        const auto word = address_range_word(option.word(), draft.family());
        if (!word) {
            draft.refuse(quoted(option.word()) + " is no range of addresses");
            continue;
        }
        draft.match(option.type->name == "--src-range" ? "src" : "dst", {*word}, option.negated);
    }
}

constexpr OptionType kMacTypes[] = {{"--mac-source", "", 1, true}};

void translate_mac(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options)
        draft.match("mac_src", {lower_case(option.word())}, option.negated);
}

constexpr OptionType kDscpTypes[] = {{"--dscp", "", 1, true}, {"--dscp-class", "", 1, true}};

void translate_dscp(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        if (option.type->name == "--dscp-class") {
            draft.match("dscp", {lower_case(option.word())}, option.negated);
            continue;
        }
        const auto number = parse_number(option.word());
        if (!number || *number > 63) {
            draft.refuse(quoted(option.word()) + " is no DSCP value");
            continue;
        }
        draft.match("dscp", {std::to_string(*number)}, option.negated);
    }
}

constexpr OptionType kTtlTypes[] = {
    {"--ttl-eq", "--ttl", 1, true}, {"--ttl-lt", "", 1, false}, {"--ttl-gt", "", 1, false},
    {"--hl-eq", "", 1, true},       {"--hl-lt", "", 1, false},  {"--hl-gt", "", 1, false},
};

void translate_ttl(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        const auto number = parse_number(option.word());
        const bool is_less = option.type->name.ends_with("-lt");
        const bool is_more = option.type->name.ends_with("-gt");
        if (!number || *number > 255 || (is_less && *number == 0) || (is_more && *number == 255)) {
            draft.refuse(quoted(option.word()) + " leaves no TTL that could match");
            continue;
        }
        std::string word = std::to_string(*number);
        if (is_less) word = fmt::format("0-{}", *number - 1);
        if (is_more) word = fmt::format("{}-255", *number + 1);
        draft.match("ttl", {std::move(word)}, option.negated);
    }
}

constexpr OptionType kLengthTypes[] = {{"--length", "", 1, true}};

void translate_length(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        const auto word = port_range_word(option.word());  // the same form and the same bounds
        if (!word)
            draft.refuse(quoted(option.word()) + " is no length");
        else
            draft.match("length", {*word}, option.negated);
    }
}

}  // namespace

const Module kRuleOptions = {"", kRuleOptionTypes, translate_rule_options, {}};
const Module kMatchTcpOptions = {"tcp", kTcpTypes, translate_transport, {}};
const Module kMatchUdpOptions = {"udp", kPortTypes, translate_transport, {}};
const Module kMatchSctpOptions = {"sctp", kPortTypes, translate_transport, {}};
const Module kMatchMultiport = {"multiport", kMultiportTypes, translate_multiport, {}};
const Module kMatchIcmpType = {"icmp", kIcmpTypes, translate_icmp, {}};
const Module kMatchIcmp6Type = {"icmp6", kIcmp6Types, translate_icmp, {}};
const Module kMatchIprange = {"iprange", kIprangeTypes, translate_iprange, {}};
const Module kMatchMacOptions = {"mac", kMacTypes, translate_mac, {}};
const Module kMatchDscpOptions = {"dscp", kDscpTypes, translate_dscp, {}};
const Module kMatchTtlOptions = {"ttl", kTtlTypes, translate_ttl, {}};
const Module kMatchHopLimit = {"hl", kTtlTypes, translate_ttl, {}};
const Module kMatchLengthOptions = {"length", kLengthTypes, translate_length, {}};

}  // namespace rampart
