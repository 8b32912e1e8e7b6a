// `-o save`: a flow as arguments with which conntrack-tools would make it again.
#include <iterator>

#include <fmt/format.h>

#include "control/conntrack_format.h"
#include "control/conntrack_names.h"
#include "packet/packet.h"

namespace rampart {
namespace {

using Out = std::back_insert_iterator<std::string>;

std::string_view command_of(FlowMessage message) noexcept {
    switch (message) {
        case FlowMessage::Update:
            return "-U";
        case FlowMessage::Deleted:
        case FlowMessage::Destroy:
            return "-D";
        case FlowMessage::Listed:
        case FlowMessage::New:
            break;
    }
    return "-A";
}

void append_status(Out out, uint16_t status) {
    constexpr uint16_t kSavable = flow_status::kExpected | flow_status::kSeenReply |
                                  flow_status::kAssured | flow_status::kFixedTimeout;
    const char* before = "-u ";
    for (const std::string_view name : status_names(status & kSavable)) {
        fmt::format_to(out, "{}{}", before, name);
        before = ",";
    }
    fmt::format_to(out, "{}", status & kSavable ? " " : "-u UNSET ");
}

void append_zones(Out out, const Tuple& original, const Tuple& reply) {
    if (original.zone == reply.zone) {
        if (original.zone != 0) fmt::format_to(out, "-w {} ", original.zone);
        return;
    }
    if (original.zone != 0) fmt::format_to(out, "--orig-zone {} ", original.zone);
    if (reply.zone != 0) fmt::format_to(out, "--reply-zone {} ", reply.zone);
}

// A translated address is named by the option that asks for the translation.
void append_addresses(Out out, const Tuple& original, const Tuple& reply) {
    fmt::format_to(out, "-s {} -d {} {} {} {} {} ", original.src_address().to_string(),
                   original.dst_address().to_string(), reply.src == original.dst ? "-r" : "-g",
                   reply.src_address().to_string(), reply.dst == original.src ? "-q" : "-n",
                   reply.dst_address().to_string());
}

void append_protocol(Out out, const Tuple& original, const Tuple& reply) {
    const uint8_t protocol = original.protocol;
    const std::string_view name = conntrack_protocol_name(protocol);
    if (name == "unknown")
        fmt::format_to(out, "-p {} ", protocol);
    else
        fmt::format_to(out, "-p {} ", name);
    if (prints_ports(protocol) && protocol != kDccp)
        fmt::format_to(out, "--sport {} --dport {} --reply-port-src {} --reply-port-dst {} ",
                       original.src_port.host(), original.dst_port.host(), reply.src_port.host(),
                       reply.dst_port.host());
    else if (is_icmp(protocol))
        fmt::format_to(out, "--{0}-type {1} --{0}-code {2} --{0}-id {3} ", name,
                       original.icmp_type(), original.icmp_code(), original.src_port.host());
    else if (protocol == ip_protocol::kGre)
        fmt::format_to(out, "--srckey {} --dstkey {} --reply-key-src {} --reply-key-dst {} ",
                       original.src_port.host(), original.dst_port.host(), reply.src_port.host(),
                       reply.dst_port.host());
}

}  // namespace

void append_flow_save(std::string& text, const FlowReport& report) {
    const Out out(text);
    const FlowEntry& flow = report.flow;
    fmt::format_to(out, "{} ", command_of(report.message));
    if (!report.is_over() || flow.timeout_s != 0) fmt::format_to(out, "-t {} ", flow.timeout_s);
    append_status(out, flow.status);
    append_zones(out, flow.original, flow.reply);
    append_addresses(out, flow.original, flow.reply);
    append_protocol(out, flow.original, flow.reply);
    if (const std::string_view state = state_name(flow.original.protocol, flow.state);
        !state.empty() && report.state_changed)
        fmt::format_to(out, "--state {} ", state);
    text.pop_back();
}

}  // namespace rampart
