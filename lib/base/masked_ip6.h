// MaskedIp6: an IPv6 address of which only the bits of a mask count, "::10/::ffff:ffff:ffff:ffff":
// a host wherever its network is renumbered to. A value; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"

namespace rampart {

// How many ones a mask begins with, when it has no others.
std::optional<unsigned> prefix_length_of(const IpAddress& mask) noexcept;

struct MaskedIp6 {
    IpAddress address;  // as written
    IpAddress mask;

    // Nothing also for masks whose ones are all in front: those are prefixes.
    static std::optional<MaskedIp6> parse(std::string_view text);
    bool has_bits_outside() const noexcept;
    std::string to_string() const;  // bits outside of the mask cleared
};

}  // namespace rampart
