// Protocols: the IP protocols that a rule can name.
//
// Names are those of /etc/protocols, in lower case; any number from 0 to 255 works as well.
// Constant, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rampart {

// A name or a number.
std::optional<uint8_t> parse_protocol(std::string_view text);
// The name, or the number as text.
std::string print_protocol(uint8_t protocol);
std::vector<std::string_view> protocol_names();

}  // namespace rampart
