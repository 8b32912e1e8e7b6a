#include "control/conntrack_format.h"

#include <fmt/format.h>

#include "conntrack/tracker.h"
#include "packet/packet.h"

namespace rampart {
namespace {

struct ProtocolName {
    uint8_t protocol;
    std::string_view name;
};
constexpr ProtocolName kProtocolNames[] = {
    {1, "icmp"}, {6, "tcp"},     {17, "udp"},   {33, "dccp"},
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
};

bool has_port_fields(uint8_t protocol) noexcept {
    return protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp ||
           protocol == ip_protocol::kSctp || protocol == ip_protocol::kUdpLite || protocol == 33;
}

bool is_icmp(uint8_t protocol) noexcept {
    return protocol == ip_protocol::kIcmp || protocol == ip_protocol::kIcmpv6;
}

void append_tuple(fmt::memory_buffer& line, const Tuple& tuple) {
    const auto out = fmt::appender(line);
    fmt::format_to(out, "src={} dst={} ", tuple.src_address().to_string(),
                   tuple.dst_address().to_string());
    if (has_port_fields(tuple.protocol))
        fmt::format_to(out, "sport={} dport={} ", tuple.src_port.host(), tuple.dst_port.host());
    else if (is_icmp(tuple.protocol))
        fmt::format_to(out, "type={} code={} id={} ", tuple.icmp_type(), tuple.icmp_code(),
                       tuple.src_port.host());
    else if (tuple.protocol == ip_protocol::kGre)
        fmt::format_to(out, "srckey={:#x} dstkey={:#x} ", tuple.src_port.host(),
                       tuple.dst_port.host());
}

// The number where conntrack has no name, so that two such protocols can be told apart.
Json protocol_to_json(uint8_t protocol) {
    const std::string_view name = conntrack_protocol_name(protocol);
    return name == "unknown" ? Json(protocol) : Json(name);
}

Json tuple_to_json(const Tuple& tuple) {
    Json json{{"proto", protocol_to_json(tuple.protocol)},
              {"src", tuple.src_address().to_string()},
              {"dst", tuple.dst_address().to_string()}};
    // The kernel's own interface calls the keys of GRE ports.
    if (has_port_fields(tuple.protocol) || tuple.protocol == ip_protocol::kGre) {
        json["sport"] = tuple.src_port.host();
        json["dport"] = tuple.dst_port.host();
    } else if (is_icmp(tuple.protocol)) {
        json["type"] = tuple.icmp_type();
        json["code"] = tuple.icmp_code();
        json["id"] = tuple.src_port.host();
    }
    return json;
}

}  // namespace

std::string_view conntrack_protocol_name(uint8_t protocol) noexcept {
    for (const ProtocolName& known : kProtocolNames) {
        if (known.protocol == protocol) return known.name;
    }
    return "unknown";
}

std::vector<std::string_view> status_names(uint16_t status) {
    std::vector<std::string_view> names;
    for (const StatusName& known : kStatusNames) {
        if (status & known.bit) names.push_back(known.name);
    }
    return names;
}

std::string_view state_name(const FlowEntry& entry) noexcept {
    const auto states = tracker_of(entry.original.protocol).states;
    return entry.state < states.size() ? states[entry.state] : std::string_view();
}

std::string format_flow(const FlowEntry& entry, const ConntrackFormat& format) {
    fmt::memory_buffer line;
    const auto out = fmt::appender(line);
    const uint8_t protocol = entry.original.protocol;
    if (format.extended) {
        const bool is_ipv4 = entry.original.family == Family::Ipv4;
        fmt::format_to(out, "{:<8} {} ", is_ipv4 ? "ipv4" : "ipv6", is_ipv4 ? 2 : 10);
    }
    fmt::format_to(out, "{:<8} {} {} ", conntrack_protocol_name(protocol), protocol,
                   entry.timeout_s);
    if (const std::string_view state = state_name(entry); !state.empty())
        fmt::format_to(out, "{} ", state);
    for (int side = 0; side < 2; ++side) {
        append_tuple(line, side == 0 ? entry.original : entry.reply);
        if (format.accounting)
            fmt::format_to(out, "packets={} bytes={} ", entry.packets[side], entry.bytes[side]);
        if (side == 0 && !(entry.status & flow_status::kSeenReply))
            fmt::format_to(out, "[UNREPLIED] ");
    }
    if (entry.status & flow_status::kAssured) fmt::format_to(out, "[ASSURED] ");
    fmt::format_to(out, "mark=0 ");
    if (entry.original.zone != 0) fmt::format_to(out, "zone={} ", entry.original.zone);
    fmt::format_to(out, "use=1");
    if (format.id) fmt::format_to(out, " id={}", entry.id);
    return fmt::to_string(line);
}

Json flow_to_json(const FlowEntry& entry, const ConntrackFormat& format) {
    Json json{{"family", to_string(entry.original.family)},
              {"proto", protocol_to_json(entry.original.protocol)},
              {"orig", tuple_to_json(entry.original)},
              {"reply", tuple_to_json(entry.reply)},
              {"status", status_names(entry.status)}};
    if (const std::string_view state = state_name(entry); !state.empty()) json["state"] = state;
    json["timeout"] = entry.timeout_s;
    if (entry.original.zone != 0) json["zone"] = entry.original.zone;
    json["id"] = entry.id;
    if (format.accounting) {
        for (int side = 0; side < 2; ++side)
            json["accounting"][side == 0 ? "orig" : "reply"] = {{"packets", entry.packets[side]},
                                                                {"bytes", entry.bytes[side]}};
    }
    return json;
}

}  // namespace rampart
