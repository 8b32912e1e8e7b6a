// The names that conntrack-tools 1.4.7 prints and reads: protocols, status bits, states.
//
// Constants and pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace rampart {

// "tcp", "icmpv6", ...; "unknown" for protocols that conntrack-tools has no name for.
std::string_view conntrack_protocol_name(uint8_t protocol) noexcept;
// Any case, conntrack's names, /etc/protocols' names and numbers.
std::optional<uint8_t> parse_conntrack_protocol(std::string_view text);

// Names of the status bits that users see, in the order of the bits.
std::vector<std::string_view> status_names(uint16_t status);

// The state's name; empty for protocols without states.
std::string_view state_name(uint8_t protocol, uint8_t state) noexcept;
// The number of a state as the user names it; TCP and SCTP only.
std::optional<uint8_t> parse_state(uint8_t protocol, std::string_view text) noexcept;

// A protocol whose tuple is printed with ports; DCCP prints the zeros that its tuple holds.
bool prints_ports(uint8_t protocol) noexcept;

// Whether `text` is `name` or its beginning, in any case: how conntrack-tools compares words.
bool is_word(std::string_view text, std::string_view name) noexcept;

inline constexpr uint8_t kDccp = 33;

}  // namespace rampart
