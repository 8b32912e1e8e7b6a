#include "control/iptables_targets.h"

#include <fmt/format.h>

#include "control/iptables_words.h"
#include "rules/nat_value.h"

namespace rampart {

namespace {

// Empty: no counterpart.
std::string statement_target(const Statement& statement, const Names& names) {
    const std::string_view key = statement.type->key;
    const std::string value = statement.type->print(statement.arguments, names);
    const std::string mask = value.find('/') == value.npos ? "/0xffffffff" : "";
    if (key == "set_mark" && value == "ct_mark") return "-j CONNMARK --restore-mark";
    if (key == "set_ct_mark" && value == "mark") return "-j CONNMARK --save-mark";
    if (key == "set_mark") return fmt::format("-j MARK --set-xmark {}{}", value, mask);
    if (key == "set_ct_mark") return fmt::format("-j CONNMARK --set-xmark {}{}", value, mask);
    if (key == "tcp_mss" && value == "clamp") return "-j TCPMSS --clamp-mss-to-pmtu";
    if (key == "tcp_mss") return "-j TCPMSS --set-mss " + value;
    if (key == "set_dscp") {
        const bool is_name = value.find_first_not_of("0123456789") != value.npos;
        return fmt::format("-j DSCP --set-dscp{} {}", is_name ? "-class" : "", value);
    }
    if (key == "log") {
        std::string prefix =
            value.starts_with('{') ? field_of(value, "prefix") : words_of(value)[0];
        if (value == "true") prefix.clear();
        return prefix.empty() ? "-j LOG" : "-j LOG --log-prefix " + quoted_text(prefix);
    }
    if (key == "helper") return "-j CT --helper " + value;
    if (key == "add_to")
        return fmt::format("-j SET --add-set {} {} --exist", field_of(value, "set"),
                           field_of(value, "key"));
    return {};
}

std::string answer_text(const Decision& decision, Family family, const Names& names) {
    const bool is_v4 = family == Family::Ipv4;
    std::string word = "port-unreachable";
    if (decision.reject_with != RejectWith::Default) {
        const std::string printed = target_of(decision)->print(decision, names);
        word = printed.substr(printed.rfind(' ') + 1);
    }
    if (word == "tcp-reset") return word;
    if (is_v4) return "icmp-" + word;
    if (word == "net-unreachable") return "icmp6-no-route";
    if (word == "host-unreachable") return "icmp6-addr-unreachable";
    if (word.ends_with("-prohibited")) return "icmp6-adm-prohibited";
    return "icmp6-" + word;
}

void add_reject(const Decision& decision, const TargetScope& scope, const Names& names,
                std::vector<std::string>& words) {
    const bool is_default = decision.reject_with == RejectWith::Default;
    if (is_default && scope.protocol == "tcp") {
        words.emplace_back("-j REJECT --reject-with tcp-reset");
        return;
    }
    // Without `reject_with` TCP gets a reset, the rest an error.
    if (is_default && scope.protocol.empty())
        words.emplace_back("-p tcp -j REJECT --reject-with tcp-reset");
    words.push_back("-j REJECT --reject-with " + answer_text(decision, scope.family, names));
}

void add_translation(const NatAction& action, const TargetScope& scope, IptablesTargets& targets) {
    if (action.has_ports && scope.protocol.empty()) {
        // A pool of ports is for the protocols that have any.
        for (const char* protocol : {"tcp", "udp", "sctp"}) {
            add_translation(action, {scope.family, protocol}, targets);
            targets.words.back().insert(0, fmt::format("-p {} ", protocol));
        }
        NatAction without = action;
        without.has_ports = false;
        return add_translation(without, scope, targets);
    }
    const std::string range = print_nat_range(action);
    const std::string ports = action.has_ports ? print_nat_ports(action) : std::string();
    std::string text;
    switch (action.kind) {
        case NatKind::None:
            text = "-j ACCEPT";
            break;
        case NatKind::Snat:
            text = "-j SNAT --to-source " + range;
            break;
        case NatKind::Dnat:
            text = "-j DNAT --to-destination " + range;
            if (action.base_port != 0) text += fmt::format("/{}", action.base_port);
            break;
        case NatKind::Masquerade:
            text = ports.empty() ? "-j MASQUERADE" : "-j MASQUERADE --to-ports " + ports;
            break;
        case NatKind::Redirect:
            text = ports.empty() ? "-j REDIRECT" : "-j REDIRECT --to-ports " + ports;
            break;
        case NatKind::Netmap:
            text = "-j NETMAP --to " +
                   IpRange{{action.first, action.family}, {action.last, action.family}}.to_string();
    }
    if (action.is_checksum_neutral) targets.reason = "'checksum_neutral' has no counterpart";
    const bool is_source = action.kind == NatKind::Snat || action.kind == NatKind::Masquerade;
    if (action.is_random) text += is_source ? " --random-fully" : " --random";
    if (action.is_persistent) text += " --persistent";
    targets.words.push_back(std::move(text));
}

}  // namespace

IptablesTargets iptables_targets(const Rule& rule, const Names& names, const TargetScope& scope,
                                 const std::function<std::string(size_t)>& chain_name) {
    IptablesTargets targets;
    for (const Statement& statement : rule.statements) {
        targets.words.push_back(statement_target(statement, names));
        if (targets.words.back().empty())
            targets.reason = fmt::format("'{}' has no counterpart", statement.type->key);
    }
    const Decision& decision = rule.decision;
    switch (decision.step) {
        case Step::Continue:
            if (targets.words.empty()) targets.words.emplace_back();
            break;
        case Step::Accept:
            targets.words.emplace_back("-j ACCEPT");
            break;
        case Step::Drop:
            targets.words.emplace_back("-j DROP");
            break;
        case Step::Reject:
            add_reject(decision, scope, names, targets.words);
            break;
        case Step::Return:
            targets.words.emplace_back("-j RETURN");
            break;
        case Step::Jump:
            targets.words.push_back("-j " + chain_name(decision.chain));
            break;
        case Step::Goto:
            targets.words.push_back("-g " + chain_name(decision.chain));
            break;
        case Step::Notrack:
            targets.words.emplace_back("-j CT --notrack");
            break;
        case Step::Translate:
            add_translation(*decision.nat, scope, targets);
            break;
    }
    return targets;
}

}  // namespace rampart
