// The text forms of address_ranges.h: an address, a prefix, a range, an IPv6 address with a mask,
// or a list of them.

#include <fmt/format.h>

#include "rules/address_ranges.h"
#include "rules/words.h"

namespace rampart {

namespace {

void report(const Value& item, std::string message, std::string hint, ParseContext& context) {
    context.diagnostics.error("E008", item.location(), std::move(message), std::move(hint));
}

// "10.0.0.0/255.0.0.0" as a prefix, for the hint.
std::string hint_of_netmask(std::string_view address, std::string_view mask_text) {
    const auto mask = IpAddress::parse(mask_text);
    const auto length = mask ? prefix_length_of(*mask) : std::nullopt;
    if (!length) return {};
    return fmt::format("write {}/{}", address, *length);
}

// Why `text` is no address; the more words it shares with another notation the better the hint.
std::string hint_of(std::string_view text) {
    if (text == "any" || text == "all" || text == "*") return "leave the key out to match anything";
    if (text.starts_with('!')) return "to negate, write  not: { src: ... }";
    if (text.find(',') != text.npos) return "write a list: [a, b]";
    const size_t slash = text.find('/');
    if (slash != text.npos) {
        std::string hint = hint_of_netmask(text.substr(0, slash), text.substr(slash + 1));
        if (!hint.empty()) return hint;
        if (IpAddress::parse(text.substr(0, slash))) {
            return "a prefix length is 0-32 for IPv4 and 0-128 for IPv6";
        }
    }
    return "expected an address, a prefix such as 10.0.0.0/8, or a range a-b";
}

bool add_range(const Value& item, size_t dash, AddressRanges& ranges, ParseContext& context) {
    const std::string_view text = item.text();
    const auto first = IpAddress::parse(text.substr(0, dash));
    const auto last = IpAddress::parse(text.substr(dash + 1));
    if (!first || !last) {
        report(item, fmt::format("{} is not an address range", quoted(text)), hint_of(text),
               context);
        return false;
    }
    if (first->family != last->family) {
        report(item, "a range cannot go from one address family to the other", {}, context);
        return false;
    }
    if (last->bytes < first->bytes) {
        report(item, fmt::format("the range {} runs backwards", quoted(text)),
               fmt::format("write {}-{}", last->to_string(), first->to_string()), context);
        return false;
    }
    ranges.add({*first, *last});
    return true;
}

void warn_of_bits(const Value& item, const std::string& matched, ParseContext& context) {
    context.diagnostics.warning(
        "W101", item.location(),
        fmt::format("{} has host bits set; matching {}", item.text(), matched));
}

bool add_item(const Value& item, AddressRanges& ranges, ParseContext& context) {
    const std::string_view text = item.text();
    if (const auto masked = MaskedIp6::parse(text)) {
        if (masked->has_bits_outside()) warn_of_bits(item, masked->to_string(), context);
        ranges.add_masked(*masked);
        return true;
    }
    const size_t dash = text.find('-');
    if (dash != text.npos) return add_range(item, dash, ranges, context);
    const auto prefix = IpPrefix::parse(text);
    if (!prefix) {
        report(item, fmt::format("{} is not an IP address", quoted(text)), hint_of(text), context);
        return false;
    }
    if (prefix->has_host_bits()) warn_of_bits(item, prefix->to_string(), context);
    ranges.add(prefix->range());
    return true;
}

}  // namespace

Arguments parse_address_ranges(const Value& value, SetField field, ParseContext& context) {
    AddressRanges ranges;
    bool good = true;
    for (const Value* item : scalars_of(value, "an address", context)) {
        if (!read_set_use(*item, field, ranges.sets, good, context))
            good = add_item(*item, ranges, context) && good;
    }
    if (!good || ranges.is_empty()) return {};
    ranges.finish();
    return Arguments::make(std::move(ranges));
}

}  // namespace rampart
