// The values of conntrack's options: numbers, addresses, status words. Each reader returns what is
// wrong, in the words of conntrack-tools, or an empty string.
//
// Pure functions, any thread. Used by conntrack_options.cc alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/scalar.h"
#include "control/conntrack_options.h"

namespace rampart {

std::string bad_value(std::string_view what, std::string_view word);

// Decimal, or hexadecimal with 0x.
template <typename T>
std::string read_number(std::string_view word, std::string_view what, uint32_t max,
                        std::optional<T>& into) {
    const auto value = parse_hex_or_decimal(word);
    if (!value || *value > max) return bad_value(what, word);
    into = static_cast<T>(*value);
    return {};
}

// ADDRESS[/LENGTH]
std::string read_address(std::string_view word, AddressCondition& into, Family& family,
                         bool& has_prefix);
// ADDRESS[:PORT], [ADDRESS]:PORT for IPv6, :PORT
std::string read_nat_target(std::string_view word, NatCondition& into);
// Comma-separated words of -u, each possibly negated by '!'.
std::string read_status_words(std::string_view words, ConntrackOptions& options);

// Calls take(word) for each of the comma-separated words; false: the word is not known.
template <typename Take>
std::string read_words(std::string_view words, Take take) {
    for (size_t at = 0;;) {
        const size_t comma = words.find(',', at);
        std::string_view word = words.substr(at, comma - at);
        if (word.empty()) word = words.substr(at);  // upstream shows the rest
        if (!take(word)) return "Bad parameter `" + std::string(word) + "'";
        if (comma == words.npos) return {};
        at = comma + 1;
    }
}

}  // namespace rampart
