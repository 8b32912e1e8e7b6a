#include "base/mac_address.h"

#include <charconv>

#include <fmt/format.h>

namespace rampart {

std::optional<MacAddress> parse_mac_address(std::string_view text) {
    constexpr size_t kLength = 17;
    if (text.size() != kLength) return std::nullopt;
    MacAddress address{};
    for (size_t i = 0; i < address.size(); ++i) {
        const char* begin = text.data() + 3 * i;
        const auto [end, problem] = std::from_chars(begin, begin + 2, address[i], 16);
        if (problem != std::errc() || end != begin + 2) return std::nullopt;
        if (i + 1 < address.size() && *end != ':') return std::nullopt;
    }
    return address;
}

std::string to_string(const MacAddress& a) {
    return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", a[0], a[1], a[2], a[3], a[4],
                       a[5]);
}

}  // namespace rampart
