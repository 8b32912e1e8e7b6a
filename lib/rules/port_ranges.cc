#include "rules/port_ranges.h"

#include <algorithm>
#include <netdb.h>

#include <fmt/format.h>

#include "rules/classifier/projection.h"
#include "rules/words.h"

namespace rampart {

namespace {

struct Service {
    std::string_view name;
    unsigned port;
};
// For hints: names are no ports unless `services: true` says so.
constexpr Service kServices[] = {{"ftp", 21},    {"ssh", 22},   {"smtp", 25},   {"dns", 53},
                                 {"domain", 53}, {"http", 80},  {"ntp", 123},   {"snmp", 161},
                                 {"bgp", 179},   {"ldap", 389}, {"https", 443}, {"mysql", 3306}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_leading_zero(std::string_view text) {
    return text.size() > 1 && text[0] == '0' && std::all_of(text.begin(), text.end(), is_digit);
}

void report(const Value& item, ParseContext& context) {
    const std::string_view text = item.text();
    if (is_leading_zero(text)) {
        const size_t digits = std::min(text.find_first_not_of('0'), text.size() - 1);
        context.diagnostics.error("E009", item.location(),
                                  fmt::format("port {} has a leading zero", quoted(text)),
                                  fmt::format("write {}", text.substr(digits)));
        return;
    }
    std::string hint;
    for (const Service& service : kServices) {
        if (service.name == text)
            hint = fmt::format("write the number {}, or services: true at the top", service.port);
    }
    if (hint.empty() && context.names.has_services) hint = "no such name in /etc/services";
    if (text.find(',') != text.npos) hint = "write a list: [80, 443]";
    const size_t colon = text.find(':');
    if (colon != text.npos) {
        hint =
            fmt::format("a range is written {}-{}", text.substr(0, colon), text.substr(colon + 1));
    }
    context.diagnostics.error(
        "E009", item.location(),
        fmt::format("{} is not a port (0-65535) or a range like 8000-8999", quoted(text)),
        std::move(hint));
}

// A name of /etc/services, for each protocol of the rule: they may differ.
bool add_service(const std::string& name, ParseContext& context, PortRanges& ranges) {
    if (!context.names.has_services || name.empty() || is_digit(name[0])) return false;
    bool is_known = false;
    for (const uint8_t protocol : context.scope.protocols) {
        const servent* service = getservbyname(name.c_str(), print_protocol(protocol).c_str());
        if (service == nullptr) continue;
        const uint16_t port = be16{static_cast<uint16_t>(service->s_port)}.host();
        const PortRange range{port, port};
        if (std::find(ranges.written.begin(), ranges.written.end(), range) == ranges.written.end())
            ranges.written.push_back(range);
        is_known = true;
    }
    return is_known;
}

// The rule must name protocols, and only such that have ports. A `proto` that could not be parsed
// was reported already.
bool check_protocols(ParseContext& context) {
    const RuleScope& scope = context.scope;
    if (scope.protocol != nullptr && scope.protocols.empty()) return true;
    const bool all_have_ports =
        !scope.protocols.empty() &&
        std::all_of(scope.protocols.begin(), scope.protocols.end(), has_ports);
    if (all_have_ports) return true;
    context.diagnostics.error(
        "E015", context.key_location,
        fmt::format("'{}' needs 'proto: tcp', 'udp' or 'sctp' in the same rule", context.key));
    return false;
}

}  // namespace

Arguments parse_port_ranges(const Value& value, SetField field, ParseContext& context) {
    PortRanges ranges;
    bool good = check_protocols(context);
    for (const Value* item : scalars_of(value, "a port", context)) {
        if (read_set_use(*item, field, ranges.sets, good, context)) continue;
        if (const auto range = parse_port_range(item->text())) {
            ranges.written.push_back(*range);
        } else if (!add_service(item->text(), context, ranges)) {
            report(*item, context);
            good = false;
        }
    }
    if (!good || (ranges.written.empty() && ranges.sets.is_empty())) return {};
    std::vector<PortRange> sorted = ranges.written;
    std::sort(sorted.begin(), sorted.end(),
              [](const PortRange& a, const PortRange& b) { return a.first < b.first; });
    for (const PortRange& range : sorted) {
        if (!ranges.merged.empty() && range.first <= ranges.merged.back().last + 1) {
            ranges.merged.back().last = std::max(ranges.merged.back().last, range.last);
        } else {
            ranges.merged.push_back(range);
        }
    }
    return Arguments::make(std::move(ranges));
}

// A negated match holds for all protocols without ports. That is no range of ports, but a rule with
// such a match is narrowed to protocols that have them before.
void project_port_ranges(const Arguments& arguments, bool negated, Projection& projection,
                         Intervals<uint16_t>& ports) {
    std::bitset<256> with_ports;
    for (unsigned protocol = 0; protocol < with_ports.size(); ++protocol)
        with_ports[protocol] = has_ports(static_cast<uint8_t>(protocol));
    if (negated && (projection.protocols & ~with_ports).any()) return;
    std::vector<Interval<uint16_t>> runs;
    for (const PortRange& range : arguments.as<PortRanges>().merged)
        runs.push_back({range.first, range.last});
    const Intervals<uint16_t> set(std::move(runs));
    ports.intersect(negated ? set.complement() : set);
    projection.protocols &= with_ports;
}

std::string print_port_ranges(const Arguments& arguments, const Names&) {
    std::vector<std::string> words;
    for (const PortRange& range : arguments.as<PortRanges>().written) {
        words.push_back(range.first == range.last ? fmt::format("{}", range.first)
                                                  : fmt::format("{}-{}", range.first, range.last));
    }
    arguments.as<PortRanges>().sets.append_words(words);
    return print_words(words);
}

const SetUses* sets_of_port_ranges(const Arguments& arguments) noexcept {
    return &arguments.as<PortRanges>().sets;
}

}  // namespace rampart
