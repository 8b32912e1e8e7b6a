// SetKey: one element of a hashed set as the words that are hashed and compared.
//
//   word 0, 1   the first address, or a MAC address
//   word 2      family | protocol << 8 | port << 16 | first length << 32 | second length << 40
//   word 3, 4   the second address (net,net)
//
// Plain value, any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

namespace rampart {

struct SetKey {
    static constexpr unsigned kWords = 5;
    static constexpr unsigned kShortWords = 3;  // of types with one address

    std::array<uint64_t, kWords> words{};

    auto operator<=>(const SetKey&) const = default;
};

}  // namespace rampart
