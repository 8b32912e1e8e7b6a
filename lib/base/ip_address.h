// IP addresses, prefixes and ranges as values, with the text forms users write.
//
// An address keeps its bytes in network order; IPv4 uses the first four bytes and the rest are
// zero, so equality is plain. Parsing accepts exactly what inet_pton does (no leading zeros, no
// octal, no shorthand). Any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rampart {

enum class Family : uint8_t { None = 0, Ipv4 = 4, Ipv6 = 6 };

std::string_view to_string(Family family) noexcept;  // "ipv4", "ipv6", "none"

using AddressBytes = std::array<uint8_t, 16>;

struct IpAddress {
    AddressBytes bytes{};
    Family family = Family::None;

    static std::optional<IpAddress> parse(std::string_view text);
    std::string to_string() const;  // IPv6 in the compressed form of RFC 5952
    auto operator<=>(const IpAddress&) const = default;
};

// Number of bits in an address of this family: 32, 128, or 0 for None.
unsigned address_bits(Family family) noexcept;

// Inclusive on both ends; first.family == last.family and first <= last.
struct IpRange {
    IpAddress first;
    IpAddress last;

    bool contains(const IpAddress& address) const noexcept {
        return address.family == first.family && first.bytes <= address.bytes &&
               address.bytes <= last.bytes;
    }
    // A prefix is printed as one ("10.0.0.0/8", a single address without "/32"), else "a-b".
    std::string to_string() const;
    bool operator==(const IpRange&) const = default;
};

struct IpPrefix {
    IpAddress address;  // as written, host bits included
    unsigned length = 0;

    // "10.0.0.0/8", "2001:db8::/32"; a bare address is its own host prefix.
    static std::optional<IpPrefix> parse(std::string_view text);
    bool has_host_bits() const noexcept;
    IpRange range() const noexcept;  // host bits cleared
    std::string to_string() const;   // host bits cleared
};

}  // namespace rampart
