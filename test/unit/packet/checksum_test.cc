// The checksum agrees with the textbook, for every size and content.
#include "packet/checksum.h"

#include <random>

#include <catch2/catch.hpp>

#include "support/frame.h"

namespace rampart::test {

TEST_CASE("the checksum of any bytes is that of RFC 1071") {
    std::mt19937_64 random(1);
    for (size_t size = 0; size < 1600; ++size) {
        Bytes bytes(size);
        for (uint8_t& byte : bytes)
            byte = static_cast<uint8_t>(random() % 4 ? random() : 0xff);
        CHECK(be16{checksum_of(bytes.data(), size)}.host() == plain_checksum(bytes));
    }
}

TEST_CASE("a sum of nothing but ones folds without losing a carry") {
    const Bytes ones(65534, 0xff);
    CHECK(checksum_fold(checksum_add(0, ones.data(), ones.size())) == 0xffff);
    CHECK(checksum_fold(~uint64_t{0}) == 0xffff);
}

TEST_CASE("a packet with its checksum in place sums to all ones") {
    std::mt19937_64 random(2);
    for (unsigned round = 0; round < 1000; ++round) {
        Bytes bytes(20 + random() % 64);
        for (uint8_t& byte : bytes)
            byte = static_cast<uint8_t>(random());
        store<uint16_t>(bytes.data() + 10, 0);
        store(bytes.data() + 10, checksum_of(bytes.data(), bytes.size()));
        CHECK(checksum_fold(checksum_add(0, bytes.data(), bytes.size())) == 0xffff);
    }
}

}  // namespace rampart::test
