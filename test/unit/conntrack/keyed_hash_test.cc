// Both implementations of the keyed hash are deterministic and spread keys that differ little.
#include "conntrack/keyed_hash.h"

#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include <catch2/catch.hpp>

namespace rampart::test {
namespace {

std::vector<bool> implementations() {
    return KeyedHash::has_aes() ? std::vector<bool>{false, true} : std::vector<bool>{false};
}

template <typename Key>
Key key_number(uint32_t number) {
    Key key;
    key.protocol = 17;
    key.low_port = be16::from_host(static_cast<uint16_t>(number));
    key.high_port = be16::from_host(static_cast<uint16_t>(number >> 16));
    return key;
}

// Sequential keys over 256 buckets taken from the low and from the high bits.
template <typename Key>
void check_spread(const KeyedHash& hash) {
    constexpr uint32_t kKeys = 1 << 16, kBuckets = 256;
    std::array<uint32_t, kBuckets> low{}, high{};
    for (uint32_t number = 0; number < kKeys; ++number) {
        const uint32_t value = hash.hash(key_number<Key>(number));
        ++low[value % kBuckets];
        ++high[value >> 24];
    }
    for (const auto& buckets : {low, high}) {
        double chi_square = 0;
        for (const uint32_t count : buckets) {
            const double expected = double{kKeys} / kBuckets;
            chi_square += (count - expected) * (count - expected) / expected;
        }
        CHECK(chi_square < 375);  // 255 degrees of freedom, p < 0.000001
    }
}

// Each bit of the key changes half of the hash.
template <typename Key>
void check_avalanche(const KeyedHash& hash) {
    for (size_t bit = 0; bit < sizeof(Key) * 8; ++bit) {
        unsigned changed = 0;
        for (uint32_t number = 0; number < 64; ++number) {
            Key key = key_number<Key>(number * 0x9e3779b1u);
            const uint32_t before = hash.hash(key);
            reinterpret_cast<uint8_t*>(&key)[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
            changed += static_cast<unsigned>(std::popcount(before ^ hash.hash(key)));
        }
        CHECK(changed > 64 * 11);
        CHECK(changed < 64 * 21);
    }
}

}  // namespace

TEST_CASE("the same seed gives the same hashes, another seed others") {
    for (const bool use_aes : implementations()) {
        const KeyedHash one = KeyedHash::with_implementation(1, use_aes);
        const KeyedHash same = KeyedHash::with_implementation(1, use_aes);
        const KeyedHash other = KeyedHash::with_implementation(2, use_aes);
        unsigned equal4 = 0, equal6 = 0;
        for (uint32_t number = 0; number < 1000; ++number) {
            const FlowKey4 key4 = key_number<FlowKey4>(number);
            const FlowKey6 key6 = key_number<FlowKey6>(number);
            CHECK(one.hash(key4) == same.hash(key4));
            CHECK(one.hash(key6) == same.hash(key6));
            equal4 += one.hash(key4) == other.hash(key4);
            equal6 += one.hash(key6) == other.hash(key6);
        }
        CHECK(equal4 + equal6 <= 1);
    }
}

TEST_CASE("hashing many keys at once gives the hashes of each") {
    for (const bool use_aes : implementations()) {
        const KeyedHash hash = KeyedHash::with_implementation(5, use_aes);
        std::array<FlowKey6, 64> keys;
        std::array<const void*, 64> pointers{};
        std::array<uint32_t, 64> hashes{};
        for (uint32_t i = 0; i < keys.size(); ++i) {
            keys[i] = key_number<FlowKey6>(i);
            pointers[i] = &keys[i];
        }
        hash.hash6(pointers.data(), hashes.data(), 64);
        for (uint32_t i = 0; i < keys.size(); ++i)
            CHECK(hashes[i] == hash.hash(keys[i]));
    }
}

TEST_CASE("neighbouring keys spread evenly and every bit counts") {
    for (const bool use_aes : implementations()) {
        const KeyedHash hash = KeyedHash::with_implementation(9, use_aes);
        check_spread<FlowKey4>(hash);
        check_spread<FlowKey6>(hash);
        check_avalanche<FlowKey4>(hash);
        check_avalanche<FlowKey6>(hash);
    }
}

TEST_CASE("two random secrets differ") {
    const FlowKey4 key = key_number<FlowKey4>(1);
    unsigned equal = 0;
    for (int i = 0; i < 8; ++i)
        equal += KeyedHash::random().hash(key) == KeyedHash::random().hash(key);
    CHECK(equal <= 1);
}

}  // namespace rampart::test
