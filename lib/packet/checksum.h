// The Internet checksum (RFC 1071) over contiguous bytes.
//
// Sums are kept in the order of memory, which gives the same result after folding (RFC 1071,
// section 2 (B)). Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace rampart {

// A running one's-complement sum that cannot overflow for packets below 64 KiB.
inline uint64_t checksum_add(uint64_t sum, const uint8_t* bytes, size_t size) noexcept {
    for (; size >= 4; bytes += 4, size -= 4) sum += load<uint32_t>(bytes);
    if (size >= 2) {
        sum += load<uint16_t>(bytes);
        bytes += 2;
        size -= 2;
    }
    if (size != 0) sum += *bytes;  // RFC 1071: padded with a zero byte on the right
    return sum;
}

// The folded 16-bit sum; a correct packet, checksum field included, gives 0xffff.
inline uint16_t checksum_fold(uint64_t sum) noexcept {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(sum);
}

// The value to store in a checksum field, as raw memory (already in wire order).
inline uint16_t checksum_of(const uint8_t* bytes, size_t size) noexcept {
    return static_cast<uint16_t>(~checksum_fold(checksum_add(0, bytes, size)));
}

// Pseudo headers of RFC 9293 and RFC 8200, 8.1: addresses, length and protocol.
inline uint64_t pseudo_header_sum4(const uint8_t* ipv4_header, uint8_t protocol,
                                   uint32_t length) noexcept {
    const uint64_t sum = checksum_add(0, ipv4_header + 12, 8);
    return sum + be16::from_host(protocol).raw +
           be16::from_host(static_cast<uint16_t>(length)).raw;
}

inline uint64_t pseudo_header_sum6(const uint8_t* ipv6_header, uint8_t protocol,
                                   uint32_t length) noexcept {
    const uint64_t sum = checksum_add(0, ipv6_header + 8, 32);
    return sum + be32::from_host(length).raw + be16::from_host(protocol).raw;
}

}  // namespace rampart
