#include "control/conntrack_format.h"

#include <ctime>
#include <iterator>

#include <fmt/format.h>

#include "conntrack/helper_names.h"
#include "control/conntrack_names.h"
#include "packet/packet.h"

namespace rampart {
namespace {

constexpr uint64_t kSecond_ns = 1'000'000'000;

using Out = std::back_insert_iterator<std::string>;

void append_tuple(Out out, const Tuple& tuple) {
    fmt::format_to(out, "src={} dst={} ", tuple.src_address().to_string(),
                   tuple.dst_address().to_string());
    if (prints_ports(tuple.protocol))
        fmt::format_to(out, "sport={} dport={} ", tuple.src_port.host(), tuple.dst_port.host());
    else if (is_icmp(tuple.protocol))
        fmt::format_to(out, "type={} code={} id={} ", tuple.icmp_type(), tuple.icmp_code(),
                       tuple.src_port.host());
    else if (tuple.protocol == ip_protocol::kGre)
        fmt::format_to(out, "srckey={:#x} dstkey={:#x} ", tuple.src_port.host(),
                       tuple.dst_port.host());
}

// As ctime() writes it, in local time.
std::string calendar_time(uint64_t wall_ns) {
    const time_t seconds = static_cast<time_t>(wall_ns / kSecond_ns);
    tm local{};
    localtime_r(&seconds, &local);
    char text[32];
    return {text, strftime(text, sizeof(text), "%a %b %e %T %Y", &local)};
}

std::string_view tag_of(FlowMessage message) noexcept {
    switch (message) {
        case FlowMessage::New:
            return "    [NEW] ";
        case FlowMessage::Update:
            return " [UPDATE] ";
        case FlowMessage::Destroy:
            return "[DESTROY] ";
        case FlowMessage::Listed:
        case FlowMessage::Deleted:
            break;
    }
    return {};
}

// Both tuples; a zone of one direction only stands with its tuple.
void append_tuples(Out out, const FlowReport& report, bool accounting) {
    const FlowEntry& flow = report.flow;
    const bool zones_differ = flow.original.zone != flow.reply.zone;
    for (int side = 0; side < 2; ++side) {
        const Tuple& tuple = side == 0 ? flow.original : flow.reply;
        append_tuple(out, tuple);
        if (zones_differ && tuple.zone != 0)
            fmt::format_to(out, "zone-{}={} ", side == 0 ? "orig" : "reply", tuple.zone);
        if (accounting)
            fmt::format_to(out, "packets={} bytes={} ", flow.packets[side], flow.bytes[side]);
        if (side == 0 && !(flow.status & flow_status::kSeenReply))
            fmt::format_to(out, "[UNREPLIED] ");
    }
}

void append_times(Out out, const FlowReport& report, const ConntrackFormat& format) {
    const FlowEntry& flow = report.flow;
    const uint64_t until = report.is_over() ? flow.stop_ns : report.time_ns;
    // Whole seconds of both clocks are compared, not the nanoseconds.
    fmt::format_to(out, "delta-time={} ",
                   static_cast<int64_t>(until / kSecond_ns - flow.start_ns / kSecond_ns));
    if (!format.ktimestamp) return;
    fmt::format_to(out, "[start={}] ", calendar_time(flow.start_ns));
    if (report.is_over()) fmt::format_to(out, "[stop={}] ", calendar_time(flow.stop_ns));
}

}  // namespace

void append_flow_text(std::string& text, const FlowReport& report, const ConntrackFormat& format) {
    const Out out(text);
    const FlowEntry& flow = report.flow;
    const uint8_t protocol = flow.original.protocol;
    const bool is_whole = !report.is_event() || report.is_over();
    if (report.is_event() && format.timestamp)
        fmt::format_to(out, "[{:<8}.{:06}]\t", report.time_ns / kSecond_ns,
                       report.time_ns % kSecond_ns / 1000);
    fmt::format_to(out, "{}", tag_of(report.message));
    if (format.extended) {
        const bool is_ipv4 = flow.original.family == Family::Ipv4;
        fmt::format_to(out, "{:<8} {} ", is_ipv4 ? "ipv4" : "ipv6", is_ipv4 ? 2 : 10);
    }
    fmt::format_to(out, "{:<8} {} ", conntrack_protocol_name(protocol), protocol);
    if (!report.is_over() || flow.timeout_s != 0) fmt::format_to(out, "{} ", flow.timeout_s);
    if (const std::string_view state = state_name(protocol, flow.state);
        !state.empty() && report.state_changed)
        fmt::format_to(out, "{} ", state);
    append_tuples(out, report, format.accounting && is_whole);
    if (flow.status & flow_status::kAssured) fmt::format_to(out, "[ASSURED] ");
    if (!report.is_event() || flow.mark != 0) fmt::format_to(out, "mark={} ", flow.mark);
    if (flow.original.zone == flow.reply.zone && flow.original.zone != 0)
        fmt::format_to(out, "zone={} ", flow.original.zone);
    if (format.has_start && is_whole) append_times(out, report, format);
    if (flow.helper != 0) fmt::format_to(out, "helper={} ", kHelperNames[flow.helper]);
    if (!report.is_event()) fmt::format_to(out, "use={} ", report.use);
    if (format.id) fmt::format_to(out, "id={} ", flow.id);
    text.pop_back();
}

std::string format_flow(const FlowReport& report, const ConntrackFormat& format) {
    std::string text;
    switch (format.form) {
        case FlowForm::Text:
            append_flow_text(text, report, format);
            break;
        case FlowForm::Xml:
            append_flow_xml(text, report, format);
            break;
        case FlowForm::Save:
            append_flow_save(text, report);
            break;
        case FlowForm::JsonText:
            text = flow_to_json(report, format).dump();
            break;
    }
    return text;
}

}  // namespace rampart
