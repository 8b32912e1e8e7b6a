#include "control/conntrack_values.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "conntrack/flow.h"
#include "control/conntrack_names.h"

namespace rampart {
namespace {

struct StatusWord {
    std::string_view name;
    uint16_t bit;
};
// Bit 0: it exists in the kernel, but never on a flow of this table.
constexpr StatusWord kStatusWords[] = {
    {"ASSURED", flow_status::kAssured},
    {"SEEN_REPLY", flow_status::kSeenReply},
    {"FIXED_TIMEOUT", flow_status::kFixedTimeout},
    {"EXPECTED", flow_status::kExpected},
    {"OFFLOAD", 0},
    {"HW_OFFLOAD", 0},
};

AddressBytes mask_of(unsigned length) noexcept {
    AddressBytes mask{};
    for (size_t i = 0; i < mask.size() && length > 0; ++i) {
        const unsigned bits = std::min(length, 8u);
        mask[i] = static_cast<uint8_t>(0xff00 >> bits);
        length -= bits;
    }
    return mask;
}

}  // namespace

std::string bad_value(std::string_view what, std::string_view word) {
    return fmt::format("{} '{}' is not valid", what, word);
}

std::string read_address(std::string_view word, AddressCondition& into, Family& family,
                         bool& has_prefix) {
    const size_t slash = word.find('/');
    const auto address = IpAddress::parse(word.substr(0, slash));
    if (!address) return fmt::format("Invalid IP address `{}'", word.substr(0, slash));
    into.address = address->bytes;
    family = address->family;
    has_prefix = slash != word.npos;
    const unsigned bits = address_bits(family);
    const auto length =
        has_prefix ? parse_decimal(word.substr(slash + 1), bits) : std::optional<uint64_t>(bits);
    if (!length) return "Invalid netmask";
    into.mask = mask_of(static_cast<unsigned>(*length));
    return {};
}

std::string read_nat_target(std::string_view word, NatCondition& into) {
    std::string_view address = word, port;
    bool has_port = false;
    if (word.starts_with('[')) {
        const size_t end = word.find(']');
        if (end == word.npos) return "No closing ']' around IPv6 address";
        address = word.substr(1, end - 1);
        has_port = end + 1 < word.size() && word[end + 1] == ':';
        if (has_port) port = word.substr(end + 2);
        if (address.empty()) return "No IPv6 address specified";
    } else if (std::count(word.begin(), word.end(), ':') == 1) {
        const size_t colon = word.find(':');
        address = word.substr(0, colon);
        port = word.substr(colon + 1);
        has_port = true;
    }
    if (has_port) {
        if (port.empty()) return "No port specified after `:'";
        const auto number = parse_decimal(port, 65535);
        if (!number || *number == 0) return fmt::format("Invalid port `{}'", port);
        into.port = static_cast<uint16_t>(*number);
    }
    if (address.empty() && has_port) return {};
    into.address = IpAddress::parse(address);
    return into.address ? std::string() : fmt::format("Invalid IP address `{}'", address);
}

std::string read_status_words(std::string_view words, ConntrackOptions& options) {
    bool has_usable = false, has_ignored = false;
    FlowFilter& filter = options.filter;
    std::string problem = read_words(words, [&](std::string_view& word) {
        const bool is_negated = word.starts_with('!');
        if (is_negated) word.remove_prefix(1);
        if (!is_negated && is_word(word, "UNREPLIED")) {
            filter.status_clear |= flow_status::kSeenReply;
            return has_usable = true;
        }
        if (!is_negated && (is_word(word, "SRC_NAT") || is_word(word, "DST_NAT"))) {
            const bool is_source = word.front() == 'S' || word.front() == 's';
            options.remarks += fmt::format("WARNING: ignoring {}_NAT, use --{}-nat instead\n",
                                           is_source ? "SRC" : "DST", is_source ? "src" : "dst");
            return has_ignored = true;
        }
        if (is_word(word, "UNSET")) return has_ignored = true;
        const auto known = std::find_if(std::begin(kStatusWords), std::end(kStatusWords),
                                        [&](const StatusWord& s) { return is_word(word, s.name); });
        if (known == std::end(kStatusWords)) return false;
        filter.matches_nothing |= !is_negated && known->bit == 0;
        (is_negated ? filter.status_clear : filter.status_set) |= known->bit;
        return has_usable = true;
    });
    options.has_unusable_status = has_ignored && !has_usable;
    return problem;
}

}  // namespace rampart
