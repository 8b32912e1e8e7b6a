#include "rules/number_ranges.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/scalar.h"
#include "rules/words.h"

namespace rampart {

namespace {

std::optional<uint32_t> parse_number(std::string_view text, const NumberSyntax& syntax) {
    for (const NumberName& name : syntax.names)
        if (name.name == text) return name.number;
    const auto number = parse_decimal(text, syntax.max);
    if (!number || *number < syntax.min) return std::nullopt;
    return static_cast<uint32_t>(*number);
}

void report(const Value& item, const NumberSyntax& syntax, ParseContext& context) {
    std::vector<std::string_view> names;
    for (const NumberName& name : syntax.names)
        names.push_back(name.name);
    std::string hint = did_you_mean(item.text(), names);
    if (item.text().find(',') != std::string::npos) hint = "write a list: [a, b]";
    if (hint.empty() && !names.empty()) hint = "names: " + listed(names);
    context.diagnostics.error(
        "E005", item.location(),
        fmt::format("{} is not {} ({}-{}) or a range like {}-{}", quoted(item.text()), syntax.what,
                    syntax.min, syntax.max, syntax.min + 1, syntax.min + 4),
        std::move(hint));
}

}  // namespace

std::optional<NumberRange> parse_number_range(std::string_view text, const NumberSyntax& syntax) {
    if (const auto number = parse_number(text, syntax)) return NumberRange{*number, *number};
    const size_t dash = text.find('-');
    if (dash == text.npos) return std::nullopt;
    const auto first = parse_number(text.substr(0, dash), syntax);
    const auto last = parse_number(text.substr(dash + 1), syntax);
    if (!first || !last || *first > *last) return std::nullopt;
    return NumberRange{*first, *last};
}

Arguments parse_number_ranges(const Value& value, const NumberSyntax& syntax,
                              ParseContext& context) {
    NumberRanges ranges;
    std::vector<NumberRange> sorted;
    bool good = true;
    for (const Value* item : scalars_of(value, syntax.what, context)) {
        if (const auto range = parse_number_range(item->text(), syntax)) {
            sorted.push_back(*range);
            ranges.written.push_back(item->text());
        } else {
            report(*item, syntax, context);
            good = false;
        }
    }
    if (!good || sorted.empty()) return {};
    std::sort(sorted.begin(), sorted.end(),
              [](const NumberRange& a, const NumberRange& b) { return a.first < b.first; });
    for (const NumberRange& range : sorted) {
        if (!ranges.merged.empty() && range.first <= ranges.merged.back().last + 1)
            ranges.merged.back().last = std::max(ranges.merged.back().last, range.last);
        else
            ranges.merged.push_back(range);
    }
    return Arguments::make(std::move(ranges));
}

std::string print_number_ranges(const Arguments& arguments, const Names&) {
    return print_words(arguments.as<NumberRanges>().written);
}

}  // namespace rampart
