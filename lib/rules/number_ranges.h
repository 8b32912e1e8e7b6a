// NumberRanges: the value of `ttl`, `length` and their kin, numbers and runs of numbers.
//
// Sorted and merged, so that contains() ends early. Parsed by the loader, immutable; contains() is
// on the packet path.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/match.h"

namespace rampart {

struct NumberRange {
    uint32_t first = 0;
    uint32_t last = 0;  // inclusive

    bool operator==(const NumberRange&) const = default;
};

// A name for a number.
struct NumberName {
    std::string_view name;
    uint32_t number;
};

struct NumberRanges {
    std::vector<NumberRange> merged;
    std::vector<std::string> written;  // as in the file

    bool contains(uint32_t number) const noexcept {
        for (const NumberRange& range : merged)
            if (number <= range.last) return number >= range.first;
        return false;
    }
};

// What may be written.
struct NumberSyntax {
    std::string_view what;  // "a TTL": for messages
    uint32_t min = 0;
    uint32_t max = 0;
    std::span<const NumberName> names = {};
};

Arguments parse_number_ranges(const Value& value, const NumberSyntax& syntax,
                              ParseContext& context);
std::string print_number_ranges(const Arguments& arguments, const Names& names);
// One scalar; nothing when it is none of the syntax.
std::optional<NumberRange> parse_number_range(std::string_view text, const NumberSyntax& syntax);

}  // namespace rampart
