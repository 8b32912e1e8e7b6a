#include "base/masked_ip6.h"

namespace rampart {

std::optional<MaskedIp6> MaskedIp6::parse(std::string_view text) {
    const size_t slash = text.find('/');
    if (slash == text.npos) return std::nullopt;
    const auto address = IpAddress::parse(text.substr(0, slash));
    const auto mask = IpAddress::parse(text.substr(slash + 1));
    if (!address || !mask || address->family != Family::Ipv6 || mask->family != Family::Ipv6)
        return std::nullopt;
    if (prefix_length_of(*mask)) return std::nullopt;
    return MaskedIp6{*address, *mask};
}

bool MaskedIp6::has_bits_outside() const noexcept {
    for (size_t i = 0; i < address.bytes.size(); ++i)
        if (address.bytes[i] & ~mask.bytes[i]) return true;
    return false;
}

std::string MaskedIp6::to_string() const {
    IpAddress cleared = address;
    for (size_t i = 0; i < cleared.bytes.size(); ++i)
        cleared.bytes[i] = static_cast<uint8_t>(cleared.bytes[i] & mask.bytes[i]);
    return cleared.to_string() + '/' + mask.to_string();
}

std::optional<unsigned> prefix_length_of(const IpAddress& mask) noexcept {
    const auto is_one = [&mask](unsigned bit) {
        return (mask.bytes[bit / 8] & 0x80u >> bit % 8) != 0;
    };
    const unsigned bits = address_bits(mask.family);
    unsigned length = 0;
    while (length < bits && is_one(length))
        ++length;
    for (unsigned bit = length; bit < bits; ++bit)
        if (is_one(bit)) return std::nullopt;
    return length;
}

}  // namespace rampart
