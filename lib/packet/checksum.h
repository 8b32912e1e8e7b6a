// The Internet checksum (RFC 1071) over contiguous bytes.
//
// Sums are kept in the order of memory, which gives the same result after folding (RFC 1071,
// section 2 (B)). Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace rampart {

// One's-complement addition of two running sums.
inline uint64_t checksum_join(uint64_t a, uint64_t b) noexcept {
    const uint64_t sum = a + b;
    return sum + (sum < a);
}

// Adds bytes to a running one's-complement sum, eight at a time, in two independent chains.
inline uint64_t checksum_add(uint64_t sum, const uint8_t* bytes, size_t size) noexcept {
    uint64_t other = 0;
    for (; size >= 16; bytes += 16, size -= 16) {
        sum = checksum_join(sum, load<uint64_t>(bytes));
        other = checksum_join(other, load<uint64_t>(bytes + 8));
    }
    if (size & 8) {
        sum = checksum_join(sum, load<uint64_t>(bytes));
        bytes += 8;
    }
    if (size & 4) {
        other = checksum_join(other, load<uint32_t>(bytes));
        bytes += 4;
    }
    if (size & 2) {
        sum = checksum_join(sum, load<uint16_t>(bytes));
        bytes += 2;
    }
    if (size & 1) sum = checksum_join(sum, *bytes);  // RFC 1071: as if a zero byte followed
    return checksum_join(sum, other);
}

// The folded 16-bit sum; a correct packet, checksum field included, gives 0xffff.
inline uint16_t checksum_fold(uint64_t sum) noexcept {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(sum);
}

// The same of a sum of a few 16-bit words.
inline uint16_t checksum_fold_short(uint32_t sum) noexcept {
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(sum + (sum >> 16));
}

// The value to store in a checksum field, as raw memory (already in wire order).
inline uint16_t checksum_of(const uint8_t* bytes, size_t size) noexcept {
    return static_cast<uint16_t>(~checksum_fold(checksum_add(0, bytes, size)));
}

// The checksum field after one 16-bit word of what it covers changed from `old` to `now`; all in
// wire order (RFC 1624, equation 3).
inline uint16_t checksum_replace(uint16_t checksum, uint16_t old, uint16_t now) noexcept {
    const uint32_t sum =
        uint32_t{static_cast<uint16_t>(~checksum)} + static_cast<uint16_t>(~old) + now;
    return static_cast<uint16_t>(~checksum_fold_short(sum));
}

// Pseudo headers of RFC 9293 and RFC 8200, 8.1: addresses, length and protocol.
inline uint64_t pseudo_header_sum4(const uint8_t* ipv4_header, uint8_t protocol,
                                   uint32_t length) noexcept {
    const uint64_t numbers = uint64_t{be16::from_host(protocol).raw} +
                             be16::from_host(static_cast<uint16_t>(length)).raw;
    return checksum_join(load<uint64_t>(ipv4_header + 12), numbers);
}

inline uint64_t pseudo_header_sum6(const uint8_t* ipv6_header, uint8_t protocol,
                                   uint32_t length) noexcept {
    const uint64_t numbers = uint64_t{be32::from_host(length).raw} + be16::from_host(protocol).raw;
    return checksum_add(numbers, ipv6_header + 8, 32);
}

}  // namespace rampart
