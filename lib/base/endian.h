// Wire order as types: be16 and be32 cannot be mixed up with host integers.
//
// The stored bytes are in network order; host() converts. Comparison for equality works on the
// stored bytes, order only through host(). Value types, any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace rampart {

static_assert(std::endian::native == std::endian::little, "written for little-endian machines");

struct be16 {
    uint16_t raw = 0;

    static constexpr be16 from_host(uint16_t host) noexcept { return {__builtin_bswap16(host)}; }
    constexpr uint16_t host() const noexcept { return __builtin_bswap16(raw); }
    constexpr bool operator==(const be16&) const noexcept = default;
};

struct be32 {
    uint32_t raw = 0;

    static constexpr be32 from_host(uint32_t host) noexcept { return {__builtin_bswap32(host)}; }
    constexpr uint32_t host() const noexcept { return __builtin_bswap32(raw); }
    constexpr bool operator==(const be32&) const noexcept = default;
};

// Unaligned access to packet bytes.
template <typename T>
T load(const uint8_t* bytes) noexcept {
    T value;
    std::memcpy(&value, bytes, sizeof(value));
    return value;
}

template <typename T>
void store(uint8_t* bytes, T value) noexcept {
    std::memcpy(bytes, &value, sizeof(value));
}

inline uint16_t load_host16(const uint8_t* bytes) noexcept {
    return load<be16>(bytes).host();
}
inline uint32_t load_host32(const uint8_t* bytes) noexcept {
    return load<be32>(bytes).host();
}
inline uint64_t load_host64(const uint8_t* bytes) noexcept {
    return __builtin_bswap64(load<uint64_t>(bytes));
}

inline void store_host16(uint8_t* bytes, uint16_t host) noexcept {
    store(bytes, be16::from_host(host));
}
inline void store_host32(uint8_t* bytes, uint32_t host) noexcept {
    store(bytes, be32::from_host(host));
}

}  // namespace rampart
