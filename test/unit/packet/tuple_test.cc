// Tuples, their inverses and the keys that both directions share.
#include "packet/tuple.h"

#include <algorithm>
#include <cstring>
#include <random>

#include <catch2/catch.hpp>

#include "packet/icmp_types.h"
#include "packet/packet.h"

namespace rampart::test {
namespace {

Tuple random_tuple(std::mt19937_64& random, uint8_t protocol, Family family) {
    Tuple tuple;
    tuple.family = family;
    tuple.protocol = protocol;
    const size_t last = family == Family::Ipv4 ? 3 : 15;
    tuple.src[0] = tuple.dst[0] = 10;
    tuple.src[last] = static_cast<uint8_t>(random() % 3);
    tuple.dst[last] = static_cast<uint8_t>(random() % 3);
    tuple.src_port = be16::from_host(static_cast<uint16_t>(random() % 3 * 255));
    tuple.dst_port = be16::from_host(static_cast<uint16_t>(random() % 3 * 255));
    return tuple;
}

template <typename Key>
void check_both_directions(const Tuple& tuple) {
    Key forth, back;
    std::memset(static_cast<void*>(&forth), 0xee, sizeof(forth));
    std::memset(static_cast<void*>(&back), 0x11, sizeof(back));
    const KeyOrder there = make_key(tuple, forth), again = make_key(invert(tuple), back);
    CHECK(invert(invert(tuple)) == tuple);
    CHECK(std::memcmp(&forth, &back, sizeof(Key)) == 0);  // padding included
    CHECK(there.self_inverse == (tuple == invert(tuple)));
    CHECK(there.self_inverse == again.self_inverse);
    CHECK((there.swapped != again.swapped) == !there.self_inverse);
}

}  // namespace

TEST_CASE("both directions of a connection give one key and are told apart") {
    std::mt19937_64 random(1);
    for (unsigned round = 0; round < 5000; ++round) {
        for (const uint8_t protocol : {ip_protocol::kTcp, ip_protocol::kUdp, ip_protocol::kGre}) {
            check_both_directions<FlowKey4>(random_tuple(random, protocol, Family::Ipv4));
            check_both_directions<FlowKey6>(random_tuple(random, protocol, Family::Ipv6));
        }
    }
}

TEST_CASE("different connections give different keys") {
    std::mt19937_64 random(2);
    for (unsigned round = 0; round < 20000; ++round) {
        const Tuple a = random_tuple(random, ip_protocol::kUdp, Family::Ipv4);
        const Tuple b = random_tuple(random, ip_protocol::kUdp, Family::Ipv4);
        FlowKey4 key_a, key_b;
        make_key(a, key_a);
        make_key(b, key_b);
        CHECK((std::memcmp(&key_a, &key_b, sizeof(key_a)) == 0) == (a == b || a == invert(b)));
    }
}

TEST_CASE("a request and its reply give one key, and the other side's request another") {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (unsigned type = 0; type < 256; ++type) {
            const bool is_ipv4 = family == Family::Ipv4;
            const IcmpType kind = is_ipv4 ? icmp4_type(static_cast<uint8_t>(type))
                                          : icmp6_type(static_cast<uint8_t>(type));
            if (kind.kind != IcmpKind::Request) continue;
            Tuple ping;
            ping.family = family;
            ping.protocol = is_ipv4 ? ip_protocol::kIcmp : ip_protocol::kIcmpv6;
            ping.src[0] = 1;
            ping.dst[0] = 2;
            ping.src_port = be16::from_host(7);
            ping.dst_port = be16::from_host(static_cast<uint16_t>(type << 8 | 3));
            CHECK(invert(ping).icmp_type() == kind.inverse);
            CHECK(invert(ping).icmp_code() == 3);
            is_ipv4 ? check_both_directions<FlowKey4>(ping) : check_both_directions<FlowKey6>(ping);
            Tuple other = ping;
            std::swap(other.src, other.dst);
            FlowKey6 key, other_key;
            make_key(ping, key);
            make_key(other, other_key);
            CHECK(std::memcmp(&key, &other_key, sizeof(key)) != 0);
        }
    }
}

}  // namespace rampart::test
