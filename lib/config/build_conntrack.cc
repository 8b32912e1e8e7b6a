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

// "85%"; reports what is no percentage within the limits.
template <typename T>
void read_percent(const Section& section, std::string_view key, uint64_t min, uint64_t max, T& into,
                  Diagnostics& diagnostics) {
    const std::string* text = section.text(key);
    if (text == nullptr) return;
    std::optional<uint64_t> number;
    if (text->ends_with('%')) number = parse_decimal(text->substr(0, text->size() - 1), max);
    if (number && *number >= min) {
        into = static_cast<T>(*number);
        return;
    }
    diagnostics.error(
        "E010", section.find(key)->location(),
        fmt::format("{} is not a percentage from {}% to {}%", quoted(*text), min, max),
        "write it as 85%");
}

void build_adaptive(const Value& value, ConntrackSettings& conntrack, Diagnostics& diagnostics) {
    const Section section(&value, "conntrack.adaptive", "'adaptive'", diagnostics);
    if (!value.is_map()) return;
    for (const char* key : {"start", "end"}) {
        if (section.find(key) != nullptr) continue;
        diagnostics.error("E006", value.location(), fmt::format("'adaptive' has no '{}'", key),
                          "adaptive: { start: 60%, end: 120% }");
        return;
    }
    read_percent(section, "start", 1, 100, conntrack.adaptive_start_percent, diagnostics);
    read_percent(section, "end", 1, 1000, conntrack.adaptive_end_percent, diagnostics);
    if (conntrack.adaptive_end_percent > conntrack.adaptive_start_percent ||
        conntrack.adaptive_end_percent == 0 || conntrack.adaptive_start_percent == 0)
        return;
    diagnostics.error("E010", section.find("end")->location(), "'end' is not above 'start'",
                      "adaptive: { start: 60%, end: 120% }");
}

void build_limits(const Value& value, ConntrackSettings& conntrack, Diagnostics& diagnostics) {
    const Section section(&value, "conntrack.limits", "'limits'", diagnostics);
    if (!value.is_map()) return;
    if (const auto most = section.number("per_source"))
        conntrack.max_per_source = static_cast<uint32_t>(*most);
    if (const auto bits = section.number("prefix4"))
        conntrack.source_prefix4 = static_cast<uint8_t>(*bits);
    if (const auto bits = section.number("prefix6"))
        conntrack.source_prefix6 = static_cast<uint8_t>(*bits);
}

void build_capacity(const Section& section, ConntrackSettings& conntrack,
                    Diagnostics& diagnostics) {
    if (const auto choice = section.choice("on_full", {"drop", "early_drop"}))
        conntrack.on_full = *choice == 0 ? OnFull::Drop : OnFull::EarlyDrop;
    read_percent(section, "warn_at", 1, 100, conntrack.warn_at_percent, diagnostics);
    read_percent(section, "reserve", 0, 50, conntrack.reserve_percent, diagnostics);
    if (const Value* adaptive = section.find("adaptive"))
        build_adaptive(*adaptive, conntrack, diagnostics);
    if (const Value* limits = section.find("limits")) build_limits(*limits, conntrack, diagnostics);
}

}  // namespace

void build_conntrack(const Value& document, const Names& names, ConntrackSettings& conntrack,
                     Diagnostics& diagnostics) {
    const Section section(document.find("conntrack"), "conntrack", "'conntrack'", diagnostics);
    const auto set_flag = [&section](std::string_view key, bool& flag) {
        flag = section.flag(key).value_or(flag);
    };
    if (const auto max = section.number("max")) conntrack.max = static_cast<uint32_t>(*max);
    if (const auto choice = section.choice("index", {"buckets", "rte_hash"}))
        conntrack.index = *choice == 0 ? KeyIndexKind::Buckets : KeyIndexKind::RteHash;
    if (const auto retrans = section.number("tcp_max_retrans")) {
        conntrack.tcp_max_retrans = static_cast<uint8_t>(*retrans);
    }
    set_flag("tcp_loose", conntrack.tcp_loose);
    set_flag("tcp_be_liberal", conntrack.tcp_be_liberal);
    set_flag("tcp_ignore_invalid_rst", conntrack.tcp_ignore_invalid_rst);
    set_flag("checksum", conntrack.checksum);
    set_flag("accounting", conntrack.accounting);
    set_flag("counters", conntrack.counters);
    set_flag("ipv6", conntrack.ipv6);
    if (conntrack.accounting && !conntrack.counters)
        diagnostics.error("E010", section.find("accounting")->location(),
                          "'accounting' needs the counters that 'counters: false' leaves out",
                          "remove 'counters: false'");
    set_flag("timestamp", conntrack.timestamp);
    build_capacity(section, conntrack, diagnostics);
    for (size_t i = 0; i < names.interfaces.size(); ++i) {
        const Interface& interface = names.interfaces[i];
        conntrack.tcp_loose_exceptions[i] =
            interface.tcp_loose.value_or(conntrack.tcp_loose) != conntrack.tcp_loose;
        conntrack.tcp_be_liberal_exceptions[i] =
            interface.tcp_be_liberal.value_or(conntrack.tcp_be_liberal) != conntrack.tcp_be_liberal;
    }
    if (const Value* timeouts = section.find("timeouts")) {
        build_timeouts(*timeouts, conntrack, diagnostics);
    }
}

}  // namespace rampart
