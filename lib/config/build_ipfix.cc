#include <fmt/format.h>

#include "base/scalar.h"
#include "config/build.h"
#include "config/schema.h"
#include "config/section.h"

namespace rampart {

namespace {

constexpr std::string_view kExample = "ipfix: { collector: \"192.0.2.10:4739\" }";

struct Endpoint {
    IpAddress address;
    uint16_t port = IpfixSettings().port;
};

// "192.0.2.10", "192.0.2.10:4739", "2001:db8::1", "[2001:db8::1]:4739".
std::optional<Endpoint> parse_endpoint(std::string_view text) {
    std::string_view address = text, port;
    if (text.starts_with('[')) {
        const size_t end = text.find(']');
        if (end == text.npos) return std::nullopt;
        address = text.substr(1, end - 1);
        port = text.substr(end + 1);
        if (address.find(':') == address.npos) return std::nullopt;
    } else if (text.find(':') == text.rfind(':') && text.find(':') != text.npos) {
        address = text.substr(0, text.find(':'));
        port = text.substr(text.find(':'));
    }
    const auto parsed = IpAddress::parse(address);
    if (!parsed) return std::nullopt;
    Endpoint endpoint{*parsed};
    if (port.empty()) return endpoint;
    const auto number = parse_decimal(port.substr(1), 65535);
    if (port.front() != ':' || !number || *number == 0) return std::nullopt;
    endpoint.port = static_cast<uint16_t>(*number);
    return endpoint;
}

void build_collector(const Section& section, const Value& whole, IpfixSettings& ipfix,
                     Diagnostics& diagnostics) {
    const std::string* collector = section.text("collector");
    if (collector == nullptr) {
        if (section.find("collector") == nullptr)
            diagnostics.error("E006", whole.location(), "'ipfix' needs 'collector'",
                              std::string(kExample));
        return;
    }
    const auto endpoint = parse_endpoint(*collector);
    if (!endpoint) {
        diagnostics.error(
            "E005", section.find("collector")->location(),
            fmt::format("{} is not an address with a port", quoted(*collector)),
            fmt::format("names are not looked up; write it as {}, or \"[2001:db8::1]:4739\"",
                        kExample));
        return;
    }
    ipfix.collector = endpoint->address;
    ipfix.port = endpoint->port;
}

void build_source(const Section& section, IpfixSettings& ipfix, Diagnostics& diagnostics) {
    const std::string* source = section.text("source");
    if (source == nullptr) return;
    ipfix.source = IpAddress::parse(*source);
    const Location& at = section.find("source")->location();
    if (!ipfix.source)
        diagnostics.error("E005", at, fmt::format("{} is not an address", quoted(*source)));
    else if (ipfix.collector.family != Family::None &&
             ipfix.source->family != ipfix.collector.family)
        diagnostics.error(
            "E005", at,
            fmt::format("'source' is {}, the collector {}", to_string(ipfix.source->family),
                        to_string(ipfix.collector.family)));
}

void build_events(const Section& section, IpfixSettings& ipfix, Diagnostics& diagnostics) {
    const Value* events = section.find("events");
    if (events == nullptr) return;
    ipfix.tells_new = ipfix.tells_end = false;
    const auto words = section.words("events");
    for (const Value* word : words) {
        if (word->text() == "new")
            ipfix.tells_new = true;
        else if (word->text() == "end")
            ipfix.tells_end = true;
        else
            diagnostics.error("E005", word->location(),
                              fmt::format("there is no event {}", quoted(word->text())),
                              "one of: new, end");
    }
    if (words.empty() && events->is_list())
        diagnostics.error("E005", events->location(), "'events' names none",
                          "write [end], or leave out the section");
}

void build_refresh(const Section& section, IpfixSettings& ipfix, Diagnostics& diagnostics) {
    const std::string* period = section.text("template_refresh");
    if (period == nullptr) return;
    const SchemaKey* limits = find_schema_key("ipfix", "template_refresh");
    const auto seconds = parse_duration_s(*period);
    if (seconds && *seconds >= limits->min && *seconds <= limits->max) {
        ipfix.template_refresh_s = *seconds;
        return;
    }
    diagnostics.error("E010", section.find("template_refresh")->location(),
                      fmt::format("{} is not a duration from {} to {}", quoted(*period),
                                  format_duration(static_cast<uint32_t>(limits->min)),
                                  format_duration(static_cast<uint32_t>(limits->max))),
                      "write it as 60s");
}

}  // namespace

void build_ipfix(const Value& document, bool accounting, std::optional<IpfixSettings>& settings,
                 Diagnostics& diagnostics) {
    const Value* value = document.find("ipfix");
    const Section section(value, "ipfix", "'ipfix'", diagnostics);
    if (value == nullptr || !value->is_map()) return;
    IpfixSettings ipfix;
    build_collector(section, *value, ipfix, diagnostics);
    build_source(section, ipfix, diagnostics);
    build_events(section, ipfix, diagnostics);
    constexpr IpfixSettings::Transport kTransports[] = {IpfixSettings::Transport::Udp,
                                                        IpfixSettings::Transport::Tcp};
    if (const auto transport = section.choice("transport", {"udp", "tcp"}))
        ipfix.transport = kTransports[*transport];
    ipfix.domain = static_cast<uint32_t>(section.number("domain").value_or(0));
    build_refresh(section, ipfix, diagnostics);
    if (!accounting)
        diagnostics.warning("W130", value->location(),
                            "flows are exported without packets and bytes, which are not counted",
                            "conntrack: { accounting: true }");
    settings = ipfix;
}

}  // namespace rampart
