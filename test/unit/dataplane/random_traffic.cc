#include "unit/dataplane/random_traffic.h"

#include "support/load.h"
#include "support/packet_line.h"

namespace rampart::test {
namespace {

std::string pick(std::mt19937_64& random, const std::vector<std::string>& words) {
    return words[random() % words.size()];
}

std::string random_match(std::mt19937_64& random) {
    return pick(random, {"proto: tcp",
                         "proto: udp",
                         "proto: tcp, dport: 80",
                         "proto: udp, sport: 53",
                         "src: 10.0.0.0/30",
                         "dst: 192.0.2.1",
                         "state: new",
                         "state: established",
                         "state: [new, related]",
                         "state: invalid",
                         "ct_dir: reply",
                         "ct_dir: original",
                         "in: lan",
                         "out: lan",
                         "proto: icmp, icmp: echo-request",
                         "family: ipv6",
                         "length: 0-40",
                         "ttl: 64",
                         "mark: 1",
                         "mark: 0/2",
                         "proto: tcp, tcp_flags: syn",
                         "proto: tcp, tcp_flags: rst/rst",
                         "pkt_type: unicast",
                         "not: { mark: 2 }",
                         "not: { length: 40 }",
                         "not: { state: established }",
                         "not: { in: wan }",
                         "family: ipv4, proto: tcp",
                         "proto: icmpv6, icmpv6: [echo-request, neighbour-discovery]"});
}

// What looks at the flow as it is when a packet is judged: in a burst, after all have been tracked.
std::string random_flow_match(std::mt19937_64& random) {
    return pick(random, {"ct_mark: 1", "ct_mark: 0/2", "ct_mark: [1, 3]", "ct_status: assured",
                         "ct_status: [seen_reply, dnat]", "not: { ct_mark: 0 }",
                         "not: { ct_status: seen_reply }"});
}

// What depends on the packets that were judged before.
std::string random_limit(std::mt19937_64& random) {
    return pick(random, {"limit: 5/second burst 3", "not: { limit: 20/minute burst 10 }",
                         "limit: { rate: 9/minute, per: [src], over: true }",
                         "limit: { rate: 1KB/second, burst: 2KB, per: [src, dport], max: 4 }",
                         "connlimit: { above: 3 }", "connlimit: { per: [dst, dport], above: 1 }",
                         "not: { connlimit: { mask: 0, mask6: 0, above: 6 } }"});
}

std::string random_statement(std::mt19937_64& random, bool with_effects) {
    if (!with_effects) return pick(random, {"set_mark: 1", "set_mark: 2/2", "counter: c"});
    return pick(random, {"set_mark: 1", "set_mark: 2/2", "set_mark: ct_mark", "set_ct_mark: 1",
                         "set_ct_mark: 2/2", "set_ct_mark: 0", "set_ct_mark: mark", "counter: c",
                         "timeout: 5s", "set_dscp: ef"});
}

std::string random_rule(std::mt19937_64& random, const std::string& callee, bool with_effects) {
    std::string rule = "{ ";
    const bool looks_at_flow = with_effects && random() % 4 == 0;
    if (random() % 8)
        rule += (looks_at_flow ? random_flow_match(random) : random_match(random)) + ", ";
    if (with_effects && random() % 5 == 0) {
        const std::string limit = random_limit(random);
        // One `not:` to a rule.
        if (!limit.starts_with("not:") || rule.find("not:") == rule.npos) rule += limit + ", ";
    }
    if (random() % 4 == 0) rule += random_statement(random, with_effects) + ", ";
    std::vector<std::string> actions = {"action: accept", "action: accept", "action: drop",
                                        "action: return", "action: continue"};
    if (with_effects) actions.push_back("action: reject");
    if (!callee.empty()) {
        actions.push_back("jump: " + callee);
        actions.push_back("goto: " + callee);
    }
    return rule + pick(random, actions) + " }";
}

std::string random_rules(std::mt19937_64& random, const std::string& callee, bool with_effects) {
    std::string rules = "[";
    const unsigned count = 1 + static_cast<unsigned>(random() % 5);
    for (unsigned i = 0; i < count; ++i)
        rules += (i ? ", " : "") + random_rule(random, callee, with_effects);
    return rules + "]";
}

std::string endpoint(std::mt19937_64& random, bool is_ipv6, bool is_client, bool with_port) {
    const std::string host = std::to_string(1 + random() % 3);
    const std::string port =
        is_client ? std::to_string(4000 + random() % 3) : pick(random, {"53", "80"});
    const std::string address = is_ipv6 ? (is_client ? "2001:db8:1::" : "2001:db8:2::") + host
                                        : (is_client ? "10.0.0." : "192.0.2.") + host;
    if (!with_port) return address;
    return (is_ipv6 ? "[" + address + "]" : address) + ":" + port;
}

}  // namespace

std::string random_config(std::mt19937_64& random, bool with_effects) {
    const std::string policy = random() % 2 ? "accept" : "drop";
    const std::string raw =
        pick(random, {"[]", "[ { length: 0-40, set_mark: 1 } ]",
                      "[ { proto: udp, sport: 53, action: notrack } ]",
                      "[ { proto: tcp, tcp_flags: syn, set_mark: 3 }, { ttl: 1, action: drop } ]"});
    return config_with(
        "{ policy: " + policy + ", rules: " + random_rules(random, "one", with_effects) + " }",
        "  one: " + random_rules(random, "two", with_effects) +
            "\n  two: " + random_rules(random, "", with_effects) + "\n" +
            (random() % 2 ? "  raw: " + raw + "\n" : ""));
}

Arrival random_arrival(std::mt19937_64& random) {
    const bool is_ipv6 = random() % 4 == 0;
    const bool is_from_client = random() % 2;
    const unsigned kind = static_cast<unsigned>(random() % 8);
    const bool has_ports = kind < 6;
    const std::string client = endpoint(random, is_ipv6, true, has_ports);
    const std::string server = endpoint(random, is_ipv6, false, has_ports);
    const std::string ends = is_from_client ? client + " > " + server : server + " > " + client;
    std::string line;
    if (kind < 4) {
        const std::string seq = std::to_string(1000 + random() % 3);
        const std::string ack = std::to_string(1000 + random() % 3);
        line = "tcp " + ends + " " + pick(random, {"S", "SA", ".", "P.", "F.", "R", "R.", "SF"}) +
               " seq " + seq + " ack " + ack + " len " + std::to_string(random() % 2);
    } else if (kind < 6) {
        line = "udp " + ends + " len " + std::to_string(random() % 9);
        if (random() % 16 == 0) line += " bad-checksum";
    } else if (kind == 6) {
        line = "icmp " + ends + (is_from_client ? " echo-request" : " echo-reply") + " id 1";
    } else {
        const std::string cause = "udp " + endpoint(random, is_ipv6, true, true) + " > " +
                                  endpoint(random, is_ipv6, false, true);
        const std::string victim = words_of(cause)[1];
        const std::string address =
            is_ipv6 ? victim.substr(1, victim.find(']') - 1) : victim.substr(0, victim.find(':'));
        line = "icmp " + endpoint(random, is_ipv6, false, false) + " > " + address +
               (is_ipv6 ? " error 1/4" : " error 3/3") + " about " + cause;
    }
    const bool is_expected_port = random() % 16 != 0;
    return {static_cast<InterfaceIndex>(is_from_client == is_expected_port ? 0 : 1),
            frame_of(line)};
}

}  // namespace rampart::test
