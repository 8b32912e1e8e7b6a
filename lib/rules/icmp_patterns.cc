#include "rules/icmp_patterns.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/scalar.h"
#include "rules/classifier/projection.h"
#include "rules/protocols.h"
#include "rules/words.h"

namespace rampart {

namespace {

// "8" or "3/4".
std::optional<IcmpPattern> parse_numbers(std::string_view text) {
    const size_t slash = text.find('/');
    const auto type = parse_decimal(text.substr(0, slash), 255);
    if (!type) return std::nullopt;
    const auto number = static_cast<uint8_t>(*type);
    if (slash == text.npos) return IcmpPattern{number, number};
    const auto code = parse_decimal(text.substr(slash + 1), 255);
    if (!code) return std::nullopt;
    return IcmpPattern{number, number, static_cast<int16_t>(*code)};
}

std::optional<IcmpPattern> parse_item(std::string_view text, std::span<const IcmpName> names) {
    for (const IcmpName& name : names) {
        if (name.name == text) return name.pattern;
    }
    return parse_numbers(text);
}

std::string hint_of(std::string_view text, std::span<const IcmpName> names) {
    if (text == "any" || text == "all") return "leave the key out to match every type";
    if (text == "ping") return "did you mean 'echo-request'?";
    if (text == "pong") return "did you mean 'echo-reply'?";
    std::vector<std::string_view> known;
    for (const IcmpName& name : names)
        known.push_back(name.name);
    std::string hint = did_you_mean(text, known);
    return hint.empty() ? "a name, a type 0-255, or type/code such as 3/4" : hint;
}

bool check_protocol(uint8_t protocol, ParseContext& context) {
    const RuleScope& scope = context.scope;
    if (scope.protocol != nullptr && scope.protocols.empty()) return true;
    const bool is_named =
        !scope.protocols.empty() && std::all_of(scope.protocols.begin(), scope.protocols.end(),
                                                [protocol](uint8_t p) { return p == protocol; });
    if (is_named) return true;
    context.diagnostics.error("E015", context.key_location,
                              fmt::format("'{}' needs 'proto: {}' in the same rule", context.key,
                                          print_protocol(protocol)));
    return false;
}

}  // namespace

Arguments parse_icmp_patterns(const Value& value, uint8_t protocol, std::span<const IcmpName> names,
                              ParseContext& context) {
    IcmpPatterns result;
    bool good = check_protocol(protocol, context);
    for (const Value* item : scalars_of(value, "an ICMP type", context)) {
        if (const auto pattern = parse_item(item->text(), names)) {
            result.patterns.push_back(*pattern);
            result.written.push_back(item->text());
            continue;
        }
        good = false;
        context.diagnostics.error(
            "E007", item->location(),
            fmt::format("unknown {} type {}", context.key, quoted(item->text())),
            hint_of(item->text(), names));
    }
    if (!good || result.patterns.empty()) return {};
    return Arguments::make(std::move(result));
}

void project_icmp_patterns(const Arguments& arguments, bool negated, uint8_t protocol,
                           Projection& projection) {
    if (negated) return;
    std::bitset<256> only;
    only.set(protocol);
    projection.protocols &= only;
    // As a union, because patterns may overlap: the complement of what no pattern covers.
    Intervals<uint16_t> uncovered;
    for (const IcmpPattern& pattern : arguments.as<IcmpPatterns>().patterns) {
        if (pattern.code != IcmpPattern::kAnyCode && pattern.first_type != pattern.last_type)
            return;
        const unsigned first_code = pattern.code == IcmpPattern::kAnyCode ? 0 : pattern.code;
        const unsigned last_code = pattern.code == IcmpPattern::kAnyCode ? 255 : pattern.code;
        const Intervals<uint16_t> run(
            {{static_cast<uint16_t>(pattern.first_type << 8 | first_code),
              static_cast<uint16_t>(pattern.last_type << 8 | last_code)}});
        uncovered.intersect(run.complement());
    }
    projection.dst_port.intersect(uncovered.complement());
}

std::string print_icmp_patterns(const Arguments& arguments, const Names&) {
    return print_words(arguments.as<IcmpPatterns>().written);
}

}  // namespace rampart
