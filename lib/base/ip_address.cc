#include "base/ip_address.h"

#include <arpa/inet.h>

#include "base/scalar.h"

namespace rampart {

namespace {

// Sets or clears every bit after the first `length` ones.
AddressBytes with_host_bits(AddressBytes bytes, Family family, unsigned length,
                            bool ones) noexcept {
    for (unsigned bit = length; bit < address_bits(family); ++bit) {
        const auto mask = static_cast<uint8_t>(0x80u >> (bit % 8));
        uint8_t& byte = bytes[bit / 8];
        byte = static_cast<uint8_t>(ones ? byte | mask : byte & ~mask);
    }
    return bytes;
}

}  // namespace

std::string_view to_string(Family family) noexcept {
    switch (family) {
        case Family::Ipv4:
            return "ipv4";
        case Family::Ipv6:
            return "ipv6";
        case Family::None:
            break;
    }
    return "none";
}

unsigned address_bits(Family family) noexcept {
    switch (family) {
        case Family::Ipv4:
            return 32;
        case Family::Ipv6:
            return 128;
        case Family::None:
            break;
    }
    return 0;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    char buffer[INET6_ADDRSTRLEN + 1];
    // inet_pton reads up to a NUL: one inside the text would hide what follows it.
    if (text.size() >= sizeof(buffer) || text.find('\0') != text.npos) return std::nullopt;
    text.copy(buffer, text.size());
    buffer[text.size()] = '\0';

    IpAddress address;
    if (inet_pton(AF_INET, buffer, address.bytes.data()) == 1) {
        address.family = Family::Ipv4;
        return address;
    }
    address.bytes = {};
    if (inet_pton(AF_INET6, buffer, address.bytes.data()) == 1) {
        address.family = Family::Ipv6;
        return address;
    }
    return std::nullopt;
}

std::string IpAddress::to_string() const {
    if (family == Family::None) return "none";
    char buffer[INET6_ADDRSTRLEN];
    inet_ntop(family == Family::Ipv4 ? AF_INET : AF_INET6, bytes.data(), buffer, sizeof(buffer));
    return buffer;
}

std::string IpRange::to_string() const {
    if (first == last) return first.to_string();
    unsigned length = 0;
    const unsigned bits = address_bits(first.family);
    while (length < bits) {
        const unsigned shift = 7 - length % 8;
        if (((first.bytes[length / 8] ^ last.bytes[length / 8]) >> shift) & 1) break;
        ++length;
    }
    const bool is_prefix =
        with_host_bits(first.bytes, first.family, length, false) == first.bytes &&
        with_host_bits(last.bytes, last.family, length, true) == last.bytes;
    if (is_prefix) return first.to_string() + "/" + std::to_string(length);
    return first.to_string() + "-" + last.to_string();
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
    const size_t slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    const unsigned bits = address_bits(address->family);
    if (slash == text.npos) return IpPrefix{*address, bits};
    const auto length = parse_decimal(text.substr(slash + 1), bits);
    if (!length) return std::nullopt;
    return IpPrefix{*address, static_cast<unsigned>(*length)};
}

bool IpPrefix::has_host_bits() const noexcept {
    return with_host_bits(address.bytes, address.family, length, false) != address.bytes;
}

IpRange IpPrefix::range() const noexcept {
    return {{with_host_bits(address.bytes, address.family, length, false), address.family},
            {with_host_bits(address.bytes, address.family, length, true), address.family}};
}

std::string IpPrefix::to_string() const {
    return range().to_string();
}

}  // namespace rampart
