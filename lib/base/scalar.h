// Scalars of the configuration language, parsed from their text.
//
// Strict by design: no leading zeros, no hexadecimal where decimal is meant, no trailing junk, no
// YAML booleans. Every function returns nothing when the text is not one of its kind; the caller
// reports it with a place. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rampart {

// A decimal number from 0 to `max`.
std::optional<uint64_t> parse_decimal(std::string_view text, uint64_t max);
// "0x10" or decimal.
std::optional<uint32_t> parse_hex_or_decimal(std::string_view text);
// "true" or "false", nothing else.
std::optional<bool> parse_bool(std::string_view text);
// "30s", "5m", "2h4m", "1d", "90" (seconds). In seconds.
std::optional<uint32_t> parse_duration_s(std::string_view text);
// "64K", "512M", "2G" (binary units), or plain bytes.
std::optional<uint64_t> parse_size_bytes(std::string_view text);
// "2h4m", the shortest exact form.
std::string format_duration(uint32_t seconds);

struct PortRange {
    uint16_t first = 0;  // host order, inclusive
    uint16_t last = 0;

    bool contains(uint16_t port) const noexcept { return first <= port && port <= last; }
    bool operator==(const PortRange&) const = default;
};
// "80" or "8000-8999".
std::optional<PortRange> parse_port_range(std::string_view text);

}  // namespace rampart
