#include "conntrack/helpers/ascii.h"

#include <arpa/inet.h>

namespace rampart {

size_t write_address(const IpAddress& address, std::span<char, 46> text) noexcept {
    static_assert(INET6_ADDRSTRLEN == 46);
    const int family = address.family == Family::Ipv4 ? AF_INET : AF_INET6;
    inet_ntop(family, address.bytes.data(), text.data(), text.size());
    return std::strlen(text.data());
}

}  // namespace rampart
