#include "config/foreign_words.h"

#include <span>
#include <string>

namespace rampart {

namespace {

struct ForeignWord {
    std::string_view word;
    std::string_view own;
};

// clang-format off
constexpr ForeignWord kRuleKeys[] = {
    {"iif", "in"}, {"iifname", "in"}, {"in_interface", "in"}, {"input_interface", "in"},
    {"ingress", "in"}, {"inbound", "in"}, {"from_zone", "in"}, {"source_zone", "in"},
    {"oif", "out"}, {"oifname", "out"}, {"out_interface", "out"}, {"output_interface", "out"},
    {"egress", "out"}, {"outbound", "out"}, {"to_zone", "out"}, {"destination_zone", "out"},
    {"nfproto", "family"}, {"ip_version", "family"}, {"protocol", "proto"}, {"l4proto", "proto"},
    {"ip_protocol", "proto"}, {"saddr", "src"}, {"source", "src"}, {"source_address", "src"},
    {"src_address", "src"}, {"src_ip", "src"}, {"source_ip", "src"}, {"from", "src"},
    {"daddr", "dst"}, {"destination", "dst"}, {"dest", "dst"}, {"destination_address", "dst"},
    {"dst_address", "dst"}, {"dst_ip", "dst"}, {"destination_ip", "dst"}, {"to", "dst"},
    {"source_port", "sport"}, {"src_port", "sport"}, {"sports", "sport"},
    {"source_ports", "sport"}, {"destination_port", "dport"}, {"dst_port", "dport"},
    {"dest_port", "dport"}, {"dports", "dport"}, {"destination_ports", "dport"},
    {"port", "dport"}, {"ports", "dport"}, {"ctstate", "state"}, {"ct_state", "state"},
    {"conntrack_state", "state"}, {"connection_state", "state"}, {"states", "state"},
    {"icmp_type", "icmp"}, {"icmptype", "icmp"}, {"icmp6", "icmpv6"}, {"icmp6_type", "icmpv6"},
    {"icmpv6_type", "icmpv6"}, {"ctdir", "ct_dir"}, {"ct_direction", "ct_dir"},
    {"direction", "ct_dir"}, {"target", "action"}, {"verdict", "action"}, {"then", "action"},
    {"name", "id"}, {"label", "id"}, {"description", "comment"}, {"desc", "comment"},
    {"remark", "comment"}, {"disabled", "enabled"}, {"enable", "enabled"},
    {"ctstatus", "ct_status"}, {"connmark", "ct_mark"}, {"ctmark", "ct_mark"},
    {"helper_name", "ct_helper"}, {"log_prefix", "log"},
    {"mac", "mac_src"}, {"tos", "dscp"}, {"hop_limit", "ttl"}, {"hoplimit", "ttl"}, {"hl", "ttl"},
    {"fragment", "frag"}, {"pkttype", "pkt_type"}, {"tcpflags", "tcp_flags"}, {"flags", "tcp_flags"},
    {"vlan_id", "vlan"}, {"vid", "vlan"}, {"packet_length", "length"}, {"fwmark", "mark"},
    {"set_connmark", "set_ct_mark"}, {"set_tos", "set_dscp"}, {"mss", "tcp_mss"},
    {"clamp_mss", "tcp_mss"}, {"connlimit_above", "connlimit"}, {"hashlimit", "limit"},
    {"to_destination", "dnat"}, {"forward_to", "dnat"}, {"to_source", "snat"}, {"masq", "masquerade"},
    {"to_ports", "redirect"}, {"redirect_to", "redirect"}, {"rpf", "check"}, {"rpfilter", "check"},
    {"rp_filter", "check"}, {"fib", "check"}, {"addrtype", "dst_type"}, {"cthelper", "ct_helper"},
    {"nat_reflection", "hairpin"}, {"rate", "limit"}, {"ratelimit", "limit"}, {"mac_source", "mac_src"},
};

constexpr ForeignWord kActions[] = {
    {"allow", "accept"}, {"permit", "accept"}, {"pass", "accept"}, {"ok", "accept"},
    {"deny", "drop"}, {"discard", "drop"}, {"block", "drop"}, {"refuse", "reject"},
    {"next", "continue"}, {"none", "continue"},
};
// clang-format on

std::string normal(std::string_view word) {
    std::string result(word);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '-') c = '_';
    }
    return result;
}

std::string_view look_up(std::span<const ForeignWord> words, std::string_view word) {
    if (word.size() > 40) return {};
    const std::string wanted = normal(word);
    for (const ForeignWord& foreign : words) {
        if (foreign.word == wanted) return foreign.own;
    }
    return {};
}

}  // namespace

std::string_view own_rule_key(std::string_view word) {
    return look_up(kRuleKeys, word);
}

std::string_view own_action(std::string_view word) {
    return look_up(kActions, word);
}

}  // namespace rampart
