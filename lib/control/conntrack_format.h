// Flows and their events as conntrack-tools 1.4.7 prints them, and as JSON of our own.
//
// Existing scripts parse these lines, so they are byte for byte those of `conntrack`; the golden
// tests hold them. Pure functions, any thread (local time is that of the process).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/flow_list.h"
#include "control/json.h"

namespace rampart {

enum class FlowForm : uint8_t { Text, Xml, Save, JsonText };

struct ConntrackFormat {
    FlowForm form = FlowForm::Text;
    bool extended = false;    // "ipv4     2 " in front
    bool id = false;          // "id=N" at the end
    bool timestamp = false;   // events: when it was shown
    bool ktimestamp = false;  // start and stop of the flow
    bool accounting = false;  // packets and bytes are counted
    bool has_start = false;   // conntrack.timestamp: start times are shown
};

enum class FlowMessage : uint8_t { Listed, Deleted, New, Update, Destroy };

// What is said about a flow.
struct FlowReport {
    const FlowEntry& flow;
    FlowMessage message = FlowMessage::Listed;
    uint64_t time_ns = 0;       // wall clock: when it is said
    bool state_changed = true;  // of Update: the state is news
    uint32_t use = 1;           // references, listings only

    bool is_event() const noexcept { return message >= FlowMessage::New; }
    bool is_over() const noexcept { return message == FlowMessage::Destroy; }
};

// Without a newline.
std::string format_flow(const FlowReport& report, const ConntrackFormat& format);
void append_flow_text(std::string& out, const FlowReport& report, const ConntrackFormat& format);
void append_flow_xml(std::string& out, const FlowReport& report, const ConntrackFormat& format);
void append_flow_save(std::string& out, const FlowReport& report);
Json tuple_to_json(const Tuple& tuple);
Json flow_to_json(const FlowReport& report, const ConntrackFormat& format);

// What stands before the first flow and after the last, if there is any.
inline constexpr std::string_view kXmlBegin =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>\n";
inline constexpr std::string_view kXmlEnd = "</conntrack>\n";

inline constexpr std::string_view kConntrackPrefix = "conntrack v1.4.7 (conntrack-tools): ";

}  // namespace rampart
