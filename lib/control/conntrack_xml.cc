// `-o xml`: one <flow> element per line. What is printed is numbers, addresses and our own names:
// there is nothing to escape.
#include <ctime>
#include <iterator>

#include <fmt/format.h>

#include "conntrack/trackers/tcp_states.h"
#include "control/conntrack_format.h"
#include "control/conntrack_names.h"
#include "packet/packet.h"

namespace rampart {
namespace {

constexpr uint64_t kSecond_ns = 1'000'000'000;

using Out = std::back_insert_iterator<std::string>;

std::string_view type_of(FlowMessage message) noexcept {
    switch (message) {
        case FlowMessage::New:
            return " type=\"new\"";
        case FlowMessage::Update:
            return " type=\"update\"";
        case FlowMessage::Destroy:
            return " type=\"destroy\"";
        case FlowMessage::Listed:
        case FlowMessage::Deleted:
            break;
    }
    return {};
}

// ICMP's type, code and identifier are not shown, as upstream.
void append_layers(Out out, const Tuple& tuple) {
    const bool is_ipv4 = tuple.family == Family::Ipv4;
    fmt::format_to(out,
                   "<layer3 protonum=\"{}\" protoname=\"{}\"><src>{}</src><dst>{}</dst></layer3>"
                   "<layer4 protonum=\"{}\" protoname=\"{}\">",
                   is_ipv4 ? 2 : 10, is_ipv4 ? "ipv4" : "ipv6", tuple.src_address().to_string(),
                   tuple.dst_address().to_string(), tuple.protocol,
                   conntrack_protocol_name(tuple.protocol));
    if (prints_ports(tuple.protocol))
        fmt::format_to(out, "<sport>{}</sport><dport>{}</dport>", tuple.src_port.host(),
                       tuple.dst_port.host());
    else if (tuple.protocol == ip_protocol::kGre)
        fmt::format_to(out, "<srckey>{:#x}</srckey><dstkey>{:#x}</dstkey>", tuple.src_port.host(),
                       tuple.dst_port.host());
    fmt::format_to(out, "</layer4>");
}

void append_direction(Out out, const FlowEntry& flow, int side, bool accounting) {
    const Tuple& tuple = side == 0 ? flow.original : flow.reply;
    fmt::format_to(out, "<meta direction=\"{}\">", side == 0 ? "original" : "reply");
    append_layers(out, tuple);
    if (accounting)
        fmt::format_to(out, "<counters><packets>{}</packets><bytes>{}</bytes></counters>",
                       flow.packets[side], flow.bytes[side]);
    if (flow.original.zone != flow.reply.zone && tuple.zone != 0)
        fmt::format_to(out, "<zone>{}</zone>", tuple.zone);
    fmt::format_to(out, "</meta>");
}

void append_times(Out out, const FlowReport& report, const ConntrackFormat& format) {
    const FlowEntry& flow = report.flow;
    if (format.ktimestamp) {
        fmt::format_to(out, "<timestamp><start>{}</start>", flow.start_ns);
        if (report.is_over()) fmt::format_to(out, "<stop>{}</stop>", flow.stop_ns);
        fmt::format_to(out, "</timestamp>");
    }
    // Of an ended flow the difference in nanoseconds counts, of a running one that of the seconds.
    const int64_t seconds =
        report.is_over()
            ? static_cast<int64_t>(flow.stop_ns - flow.start_ns) / static_cast<int64_t>(kSecond_ns)
            : static_cast<int64_t>(report.time_ns / kSecond_ns - flow.start_ns / kSecond_ns);
    fmt::format_to(out, "<deltatime>{}</deltatime>", seconds);
}

// Whatever has a state has it under the name that TCP gives its number: upstream does not look at
// the protocol here.
void append_state(Out out, const FlowReport& report) {
    const FlowEntry& flow = report.flow;
    const bool has_states = !state_name(flow.original.protocol, flow.state).empty();
    if (has_states && report.state_changed && flow.state < kTcpStateCount)
        fmt::format_to(out, "<state>{}</state>", kTcpStateNames[flow.state]);
}

void append_independent(Out out, const FlowReport& report, const ConntrackFormat& format,
                        bool is_whole) {
    const FlowEntry& flow = report.flow;
    fmt::format_to(out, "<meta direction=\"independent\">");
    append_state(out, report);
    if (!report.is_over() || flow.timeout_s != 0)
        fmt::format_to(out, "<timeout>{}</timeout>", flow.timeout_s);
    if (!report.is_event() || flow.mark != 0) fmt::format_to(out, "<mark>{}</mark>", flow.mark);
    if (flow.original.zone == flow.reply.zone && flow.original.zone != 0)
        fmt::format_to(out, "<zone>{}</zone>", flow.original.zone);
    if (!report.is_event()) fmt::format_to(out, "<use>{}</use>", report.use);
    fmt::format_to(out, "<id>{}</id>", flow.id);
    if (flow.status & flow_status::kAssured) fmt::format_to(out, "<assured/>");
    if (!(flow.status & flow_status::kSeenReply)) fmt::format_to(out, "<unreplied/>");
    if (format.has_start && is_whole) append_times(out, report, format);
    fmt::format_to(out, "</meta>");
}

void append_when(Out out, uint64_t wall_ns) {
    const time_t seconds = static_cast<time_t>(wall_ns / kSecond_ns);
    tm local{};
    localtime_r(&seconds, &local);
    fmt::format_to(out,
                   "<when><hour>{}</hour><min>{:02}</min><sec>{:02}</sec><wday>{}</wday>"
                   "<day>{}</day><month>{}</month><year>{}</year></when>",
                   local.tm_hour, local.tm_min, local.tm_sec, local.tm_wday + 1, local.tm_mday,
                   local.tm_mon + 1, local.tm_year + 1900);
}

}  // namespace

void append_flow_xml(std::string& text, const FlowReport& report, const ConntrackFormat& format) {
    const Out out(text);
    const bool is_whole = !report.is_event() || report.is_over();
    fmt::format_to(out, "<flow{}>", type_of(report.message));
    for (int side = 0; side < 2; ++side)
        append_direction(out, report.flow, side, format.accounting && is_whole);
    append_independent(out, report, format, is_whole);
    if (report.is_event() && format.timestamp) append_when(out, report.time_ns);
    fmt::format_to(out, "</flow>");
}

}  // namespace rampart
