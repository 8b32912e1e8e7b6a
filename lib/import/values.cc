#include "import/values.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "base/endian.h"
#include "base/masked_ip6.h"
#include "base/scalar.h"
#include "base/utf8.h"

namespace rampart {

namespace {

constexpr uint32_t kAllBits = 0xffffffff;

std::string range_text(uint32_t first, uint32_t last) {
    return first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
}

std::optional<IpRange> parse_range(std::string_view text) {
    if (const size_t dash = text.find('-'); dash != text.npos) {
        const auto first = IpAddress::parse(text.substr(0, dash));
        const auto last = IpAddress::parse(text.substr(dash + 1));
        if (!first || !last || first->family != last->family || last->bytes < first->bytes)
            return std::nullopt;
        return IpRange{*first, *last};
    }
    const auto prefix = IpPrefix::parse(text);
    if (!prefix) return std::nullopt;
    return prefix->range();
}

struct IcmpAlias {
    std::string_view word;
    std::string_view own;
};
// Names that iptables has and the language spells otherwise.
constexpr IcmpAlias kIcmpAliases[] = {
    {"any", ""},
    {"ping", "echo-request"},
    {"pong", "echo-reply"},
    {"ttl-exceeded", "time-exceeded"},
    {"TOS-network-unreachable", "tos-network-unreachable"},
    {"TOS-host-unreachable", "tos-host-unreachable"},
    {"TOS-network-redirect", "tos-network-redirect"},
    {"TOS-host-redirect", "tos-host-redirect"},
    {"neighbor-solicitation", "neighbour-solicitation"},
    {"neighbour-solicitation", "neighbour-solicitation"},
    {"neighbor-advertisement", "neighbour-advertisement"},
};

bool is_plain(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '/' ||
           c == '-' || c == ' ' || c == '$';
}

}  // namespace

std::vector<std::string> split_list(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (;;) {
        const size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == text.npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string lower_case(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

std::optional<uint32_t> parse_number(std::string_view text) {
    const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
    if (is_hex) text.remove_prefix(2);
    uint32_t number = 0;
    const auto result =
        std::from_chars(text.data(), text.data() + text.size(), number, is_hex ? 16 : 10);
    if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size())
        return std::nullopt;
    return number;
}

std::optional<std::string> port_range_word(std::string_view text) {
    const size_t colon = text.find(':');
    const std::string_view from = text.substr(0, colon);
    const std::string_view to = colon == text.npos ? from : text.substr(colon + 1);
    const auto first = from.empty() ? std::optional<uint32_t>(0) : parse_number(from);
    const auto last = to.empty() ? std::optional<uint32_t>(65535) : parse_number(to);
    if (text.empty() || !first || !last || *last > 65535 || *first > *last) return std::nullopt;
    return range_text(*first, *last);
}

std::optional<std::vector<std::string>> port_words(std::string_view list) {
    std::vector<std::string> words;
    for (const std::string& part : split_list(list)) {
        auto word = port_range_word(part);
        if (!word) return std::nullopt;
        words.push_back(std::move(*word));
    }
    return words;
}

std::optional<std::string> address_word(std::string_view text, Family family) {
    const size_t slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address || (family != Family::None && address->family != family)) return std::nullopt;
    unsigned length = address_bits(address->family);
    if (slash != text.npos) {
        const std::string_view mask_text = text.substr(slash + 1);
        if (const auto mask = IpAddress::parse(mask_text)) {
            const auto bits = prefix_length_of(*mask);
            if (mask->family != address->family) return std::nullopt;
            if (!bits && mask->family == Family::Ipv6)
                return fmt::format("{}/{}", address->to_string(), mask->to_string());
            if (!bits) return std::nullopt;
            length = *bits;
        } else {
            const auto bits = parse_decimal(mask_text, length);
            if (!bits) return std::nullopt;
            length = static_cast<unsigned>(*bits);
        }
    }
    if (length == 0) return "";
    return IpPrefix{*address, length}.to_string();
}

std::optional<std::string> address_range_word(std::string_view text, Family family) {
    const auto range = parse_range(text);
    if (!range || (family != Family::None && range->first.family != family)) return std::nullopt;
    return range->to_string();
}

std::optional<std::vector<std::string>> common_ports(const std::vector<std::string>& a,
                                                     const std::vector<std::string>& b) {
    std::vector<std::string> both;
    for (const std::string& one : a) {
        for (const std::string& other : b) {
            const auto x = parse_port_range(one);
            const auto y = parse_port_range(other);
            if (!x || !y) return std::nullopt;
            const uint16_t first = std::max(x->first, y->first);
            const uint16_t last = std::min(x->last, y->last);
            if (first <= last) both.push_back(range_text(first, last));
        }
    }
    return both;
}

std::optional<std::vector<std::string>> common_addresses(const std::vector<std::string>& a,
                                                         const std::vector<std::string>& b) {
    std::vector<std::string> both;
    for (const std::string& one : a) {
        for (const std::string& other : b) {
            const auto x = parse_range(one);
            const auto y = parse_range(other);
            if (!x || !y) return std::nullopt;
            if (x->first.family != y->first.family) continue;
            const IpRange range{std::max(x->first, y->first), std::min(x->last, y->last)};
            if (range.first <= range.last) both.push_back(range.to_string());
        }
    }
    return both;
}

std::optional<std::string> rate_word(std::string_view text) {
    constexpr std::string_view kUnits[] = {"second", "minute", "hour", "day"};
    const size_t slash = text.find('/');
    const auto number = parse_number(text.substr(0, slash));
    if (!number || *number == 0) return std::nullopt;
    const std::string_view unit = slash == text.npos ? "second" : text.substr(slash + 1);
    for (const std::string_view known : kUnits) {
        if (!unit.empty() && known.starts_with(unit)) return fmt::format("{}/{}", *number, known);
    }
    return std::nullopt;
}

std::string mark_word(uint32_t value, uint32_t mask) {
    return mask == kAllBits ? fmt::format("{:#x}", value) : fmt::format("{:#x}/{:#x}", value, mask);
}

std::optional<std::string> icmp_word(std::string_view text) {
    for (const IcmpAlias& alias : kIcmpAliases) {
        if (alias.word == text) return std::string(alias.own);
    }
    const size_t slash = text.find('/');
    const auto type = parse_decimal(text.substr(0, slash), 255);
    if (type) {
        if (slash == text.npos) return std::string(text);
        if (parse_decimal(text.substr(slash + 1), 255)) return std::string(text);
        return std::nullopt;
    }
    // Other names are the same in both worlds; the loader knows them all.
    const bool is_name = std::all_of(text.begin(), text.end(),
                                     [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
    if (text.empty() || !is_name) return std::nullopt;
    return std::string(text);
}

std::string yaml_word(std::string_view text) {
    const bool begins_plain =
        !text.empty() && std::isalnum(static_cast<unsigned char>(text.front())) != 0;
    const bool is_word =
        begins_plain && text.back() != ' ' && std::all_of(text.begin(), text.end(), is_plain);
    return is_word ? std::string(text) : yaml_quoted(text);
}

std::string yaml_quoted(std::string_view text) {
    std::string quoted = "\"";
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        const auto byte = static_cast<uint8_t>(text.front());
        const size_t length = std::max(point.length_bytes, 1u);
        if (byte == '"' || byte == '\\') {
            quoted += '\\';
            quoted += text.front();
        } else if (point.length_bytes == 0 || byte < 0x20 || byte == 0x7f) {
            // What is no UTF-8 was Latin-1, most likely.
            quoted += fmt::format("\\x{:02x}", byte);
        } else if (is_bidi_control(point.value) || (point.value >= 0x80 && point.value < 0xa0)) {
            quoted += fmt::format("\\u{:04x}", point.value);
        } else {
            quoted += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return quoted + '"';
}

}  // namespace rampart
