#include "control/conntrack_names.h"

#include <algorithm>
#include <string>
#include <strings.h>

#include "conntrack/flow.h"
#include "conntrack/tracker.h"
#include "conntrack/trackers/tcp_states.h"
#include "packet/packet.h"
#include "rules/protocols.h"

namespace rampart {
namespace {

struct ProtocolName {
    uint8_t protocol;
    std::string_view name;
};
constexpr ProtocolName kProtocolNames[] = {
    {1, "icmp"}, {6, "tcp"},     {17, "udp"},   {kDccp, "dccp"},
    {47, "gre"}, {58, "icmpv6"}, {132, "sctp"}, {136, "udplite"},
};

struct StatusName {
    uint16_t bit;
    std::string_view name;
};
constexpr StatusName kStatusNames[] = {
    {flow_status::kExpected, "EXPECTED"},
    {flow_status::kSeenReply, "SEEN_REPLY"},
    {flow_status::kAssured, "ASSURED"},
    {flow_status::kSrcNat, "SRC_NAT"},
    {flow_status::kDstNat, "DST_NAT"},
    {flow_status::kDying, "DYING"},
    {flow_status::kFixedTimeout, "FIXED_TIMEOUT"},
    {flow_status::kHelper, "HELPER"},
};

// Netfilter's numbers (enum sctp_conntrack).
constexpr std::string_view kSctpStates[] = {
    "NONE",          "CLOSED",        "COOKIE_WAIT",       "COOKIE_ECHOED",  "ESTABLISHED",
    "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT", "HEARTBEAT_ACKED",
};

}  // namespace

std::string_view conntrack_protocol_name(uint8_t protocol) noexcept {
    for (const ProtocolName& known : kProtocolNames) {
        if (known.protocol == protocol) return known.name;
    }
    return "unknown";
}

std::optional<uint8_t> parse_conntrack_protocol(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (lower == "ipv6-icmp") return ip_protocol::kIcmpv6;
    return parse_protocol(lower);
}

std::vector<std::string_view> status_names(uint16_t status) {
    std::vector<std::string_view> names;
    for (const StatusName& known : kStatusNames) {
        if (status & known.bit) names.push_back(known.name);
    }
    return names;
}

std::string_view state_name(uint8_t protocol, uint8_t state) noexcept {
    const auto states = tracker_of(protocol).states;
    return state < states.size() ? states[state] : std::string_view();
}

std::optional<uint8_t> parse_state(uint8_t protocol, std::string_view text) noexcept {
    // SYN_SENT2 took the number of the old LISTEN, which still names it.
    if (protocol == ip_protocol::kTcp && text == "LISTEN")
        return static_cast<uint8_t>(TcpState::SynSent2);
    const auto find = [text](const auto& names) -> std::optional<uint8_t> {
        const auto found = std::find(std::begin(names), std::end(names), text);
        if (found == std::end(names)) return std::nullopt;
        return static_cast<uint8_t>(found - std::begin(names));
    };
    if (protocol == ip_protocol::kTcp) return find(kTcpStateNames);
    if (protocol == ip_protocol::kSctp) return find(kSctpStates);
    return std::nullopt;
}

bool prints_ports(uint8_t protocol) noexcept {
    return has_ports(protocol) || protocol == kDccp;
}

bool is_word(std::string_view text, std::string_view name) noexcept {
    return !text.empty() && text.size() <= name.size() &&
           strncasecmp(text.data(), name.data(), text.size()) == 0;
}

}  // namespace rampart
