// MacAddress: six bytes in wire order, and their text "52:54:00:12:34:56". Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rampart {

using MacAddress = std::array<uint8_t, 6>;

// Six pairs of hexadecimal digits with colons, as everybody writes them; nothing else.
std::optional<MacAddress> parse_mac_address(std::string_view text);
// In lower case.
std::string to_string(const MacAddress& address);

}  // namespace rampart
