#include "base/scalar.h"

#include <limits>

namespace rampart {

namespace {

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// Takes the digits at the front of `text` away; nothing when there are none or too many.
std::optional<uint64_t> take_number(std::string_view& text, uint64_t max) {
    size_t length = 0;
    while (length < text.size() && is_digit(text[length]))
        ++length;
    const auto number = parse_decimal(text.substr(0, length), max);
    if (number) text.remove_prefix(length);
    return number;
}

struct Unit {
    char letter;
    uint32_t seconds;
};
constexpr Unit kUnits[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

}  // namespace

std::optional<uint64_t> parse_decimal(std::string_view text, uint64_t max) {
    if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    uint64_t number = 0;
    for (const char c : text) {
        if (!is_digit(c)) return std::nullopt;
        const auto digit = static_cast<uint64_t>(c - '0');
        if (number > (std::numeric_limits<uint64_t>::max() - digit) / 10) return std::nullopt;
        number = number * 10 + digit;
    }
    if (number > max) return std::nullopt;
    return number;
}

std::optional<uint32_t> parse_hex_or_decimal(std::string_view text) {
    constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
    if (!text.starts_with("0x")) {
        const auto number = parse_decimal(text, kMax);
        if (!number) return std::nullopt;
        return static_cast<uint32_t>(*number);
    }
    text.remove_prefix(2);
    if (text.empty() || text.size() > 8) return std::nullopt;
    uint32_t number = 0;
    for (const char c : text) {
        uint32_t digit = 0;
        if (is_digit(c)) {
            digit = static_cast<uint32_t>(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = static_cast<uint32_t>(c - 'a' + 10);
        } else if (c >= 'A' && c <= 'F') {
            digit = static_cast<uint32_t>(c - 'A' + 10);
        } else {
            return std::nullopt;
        }
        number = number << 4 | digit;
    }
    return number;
}

std::optional<bool> parse_bool(std::string_view text) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
}

std::optional<uint32_t> parse_duration_s(std::string_view text) {
    constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
    if (const auto seconds = parse_decimal(text, kMax)) return static_cast<uint32_t>(*seconds);
    if (text.empty()) return std::nullopt;
    uint64_t total = 0;
    // Larger units first, each at most once: "2h4m", never "4m2h" or "1m1m".
    for (const Unit& unit : kUnits) {
        std::string_view rest = text;
        const auto number = take_number(rest, kMax);
        if (!number || rest.empty() || rest[0] != unit.letter) continue;
        rest.remove_prefix(1);
        text = rest;
        total += *number * unit.seconds;
        if (total > kMax) return std::nullopt;
    }
    if (!text.empty()) return std::nullopt;
    return static_cast<uint32_t>(total);
}

std::optional<uint64_t> parse_size_bytes(std::string_view text) {
    constexpr uint64_t kMax = uint64_t{1} << 50;
    const auto number = take_number(text, kMax);
    if (!number) return std::nullopt;
    if (text.empty()) return number;
    if (text.size() != 1) return std::nullopt;
    unsigned shift = 0;
    switch (text[0]) {
        case 'K':
            shift = 10;
            break;
        case 'M':
            shift = 20;
            break;
        case 'G':
            shift = 30;
            break;
        case 'T':
            shift = 40;
            break;
        default:
            return std::nullopt;
    }
    if (*number > kMax >> shift) return std::nullopt;
    return *number << shift;
}

std::string format_duration(uint32_t seconds) {
    if (seconds == 0) return "0s";
    std::string text;
    for (const Unit& unit : kUnits) {
        if (seconds < unit.seconds) continue;
        text += std::to_string(seconds / unit.seconds) + unit.letter;
        seconds %= unit.seconds;
    }
    return text;
}

std::optional<PortRange> parse_port_range(std::string_view text) {
    const size_t dash = text.find('-');
    const auto first = parse_decimal(text.substr(0, dash), 65535);
    if (!first) return std::nullopt;
    if (dash == text.npos) {
        return PortRange{static_cast<uint16_t>(*first), static_cast<uint16_t>(*first)};
    }
    const auto last = parse_decimal(text.substr(dash + 1), 65535);
    if (!last || *last < *first) return std::nullopt;
    return PortRange{static_cast<uint16_t>(*first), static_cast<uint16_t>(*last)};
}

}  // namespace rampart
