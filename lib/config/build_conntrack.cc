#include <fmt/format.h>

#include "base/scalar.h"
#include "config/build.h"
#include "config/schema.h"
#include "config/section.h"

namespace rampart {

namespace {

std::optional<size_t> find_timeout(std::string_view name) {
    for (size_t i = 0; i < kTimeoutCount; ++i) {
        if (kTimeouts[i].name == name) return i;
    }
    return std::nullopt;
}

void report_unknown(const Value& key, Diagnostics& diagnostics) {
    if (find_schema_key("conntrack.timeouts", key.text()) != nullptr) {
        report_not_built(key.text(), key.location(), diagnostics);
        return;
    }
    std::vector<std::string_view> known;
    for (const TimeoutInfo& timeout : kTimeouts)
        known.push_back(timeout.name);
    std::string hint = did_you_mean(key.text(), known);
    if (hint.empty()) hint = "known timeouts: " + listed(known);
    diagnostics.error("E002", key.location(), fmt::format("unknown timeout {}", quoted(key.text())),
                      std::move(hint));
}

void build_timeouts(const Value& section, ConntrackSettings& conntrack, Diagnostics& diagnostics) {
    if (!section.is_map()) {
        diagnostics.error("E005", section.location(),
                          fmt::format("'timeouts' takes a mapping, not {}", section.kind_name()));
        return;
    }
    for (const Value::Entry& entry : section.entries()) {
        const auto timeout = find_timeout(entry.key.text());
        if (!timeout) {
            report_unknown(entry.key, diagnostics);
            continue;
        }
        const auto seconds = parse_duration_s(entry.value.text());
        if (!seconds || *seconds == 0 || *seconds > kMaxTimeout_s) {
            diagnostics.error(
                "E010", entry.value.location(),
                fmt::format("{} is not a duration from 1s to {}", quoted(entry.value.text()),
                            format_duration(kMaxTimeout_s)),
                "write it as 30s, 5m, 2h4m or 5d");
            continue;
        }
        conntrack.timeouts[*timeout] = ticks_of_seconds(*seconds);
    }
}

}  // namespace

void build_conntrack(const Value& document, ConntrackSettings& conntrack,
                     Diagnostics& diagnostics) {
    const Section section(document.find("conntrack"), "conntrack", "'conntrack'", diagnostics);
    const auto set_flag = [&section](std::string_view key, bool& flag) {
        flag = section.flag(key).value_or(flag);
    };
    if (const auto max = section.number("max")) conntrack.max = static_cast<uint32_t>(*max);
    if (const auto retrans = section.number("tcp_max_retrans")) {
        conntrack.tcp_max_retrans = static_cast<uint8_t>(*retrans);
    }
    set_flag("tcp_loose", conntrack.tcp_loose);
    set_flag("tcp_be_liberal", conntrack.tcp_be_liberal);
    set_flag("tcp_ignore_invalid_rst", conntrack.tcp_ignore_invalid_rst);
    set_flag("checksum", conntrack.checksum);
    set_flag("accounting", conntrack.accounting);
    set_flag("timestamp", conntrack.timestamp);
    if (const Value* timeouts = section.find("timeouts")) {
        build_timeouts(*timeouts, conntrack, diagnostics);
    }
}

}  // namespace rampart
