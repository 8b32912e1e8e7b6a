// `--json` and `-o json`: an extension of our own; conntrack-tools has no JSON.
#include "conntrack/helper_names.h"
#include "control/conntrack_format.h"
#include "control/conntrack_names.h"
#include "packet/packet.h"
#include "rules/protocols.h"

namespace rampart {
namespace {

// The number where conntrack has no name, so that two such protocols can be told apart.
Json protocol_to_json(uint8_t protocol) {
    const std::string_view name = conntrack_protocol_name(protocol);
    return name == "unknown" ? Json(protocol) : Json(name);
}

std::string_view event_name(FlowMessage message) noexcept {
    switch (message) {
        case FlowMessage::New:
            return "NEW";
        case FlowMessage::Update:
            return "UPDATE";
        case FlowMessage::Destroy:
            return "DESTROY";
        case FlowMessage::Listed:
        case FlowMessage::Deleted:
            break;
    }
    return {};
}

}  // namespace

Json tuple_to_json(const Tuple& tuple) {
    Json json{{"proto", protocol_to_json(tuple.protocol)},
              {"src", tuple.src_address().to_string()},
              {"dst", tuple.dst_address().to_string()}};
    // The kernel's own interface calls the keys of GRE ports.
    if (has_ports(tuple.protocol) || tuple.protocol == ip_protocol::kGre) {
        json["sport"] = tuple.src_port.host();
        json["dport"] = tuple.dst_port.host();
    } else if (is_icmp(tuple.protocol)) {
        json["type"] = tuple.icmp_type();
        json["code"] = tuple.icmp_code();
        json["id"] = tuple.src_port.host();
    }
    return json;
}

Json flow_to_json(const FlowReport& report, const ConntrackFormat& format) {
    const FlowEntry& flow = report.flow;
    Json json;
    if (report.is_event()) {
        json["event"] = event_name(report.message);
        json["time_ns"] = report.time_ns;
    }
    json["family"] = to_string(flow.original.family);
    json["proto"] = protocol_to_json(flow.original.protocol);
    json["orig"] = tuple_to_json(flow.original);
    json["reply"] = tuple_to_json(flow.reply);
    json["status"] = status_names(flow.status);
    if (const std::string_view state = state_name(flow.original.protocol, flow.state);
        !state.empty())
        json["state"] = state;
    json["timeout"] = flow.timeout_s;
    if (flow.mark != 0) json["mark"] = flow.mark;
    if (flow.original.zone != 0) json["zone"] = flow.original.zone;
    if (flow.helper != 0) json["helper"] = kHelperNames[flow.helper];
    if (flow.master.family != Family::None) json["master"] = tuple_to_json(flow.master);
    json["id"] = flow.id;
    if (format.accounting && (!report.is_event() || report.is_over())) {
        for (int side = 0; side < 2; ++side)
            json["accounting"][side == 0 ? "orig" : "reply"] = {{"packets", flow.packets[side]},
                                                                {"bytes", flow.bytes[side]}};
    }
    if (format.has_start && flow.start_ns != 0) json["start_ns"] = flow.start_ns;
    if (report.is_over()) json["stop_ns"] = flow.stop_ns;
    return json;
}

}  // namespace rampart
