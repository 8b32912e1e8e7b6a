// Tuple: who talks to whom, as seen in one direction.
//
// The identity of a packet for connection tracking (netfilter's nf_conntrack_tuple): addresses,
// ports or their stand-ins, protocol and zone. For ICMP the identifier stands in `src_port` and
// type << 8 | code in `dst_port`; protocols without ports leave both zero. FlowKey is the form that
// the flow table hashes: the same for both directions of a connection.
// Value type, any thread.
#pragma once

#include <cstdint>

#include "base/endian.h"
#include "base/ip_address.h"

namespace rampart {

struct Tuple {
    AddressBytes src{};
    AddressBytes dst{};
    be16 src_port{};
    be16 dst_port{};
    uint8_t protocol = 0;
    Family family = Family::None;
    uint16_t zone = 0;

    bool operator==(const Tuple&) const noexcept = default;

    IpAddress src_address() const noexcept { return {src, family}; }
    IpAddress dst_address() const noexcept { return {dst, family}; }
    uint8_t icmp_type() const noexcept { return static_cast<uint8_t>(dst_port.host() >> 8); }
    uint8_t icmp_code() const noexcept { return static_cast<uint8_t>(dst_port.host()); }
};
static_assert(sizeof(Tuple) == 40);

// The tuple of the opposite direction. ICMP queries become their replies and back; a type without
// an inverse is kept (such a packet never starts a flow, see icmp_types.h).
Tuple invert(const Tuple& tuple) noexcept;

// Keys are padded to the sizes that rte_hash compares without a generic memcmp.
struct alignas(16) FlowKey4 {
    be32 low_address{};
    be32 high_address{};
    be16 low_port{};
    be16 high_port{};
    uint16_t zone = 0;
    uint8_t protocol = 0;
    uint8_t pad = 0;
};
static_assert(sizeof(FlowKey4) == 16);

struct alignas(16) FlowKey6 {
    AddressBytes low_address{};
    AddressBytes high_address{};
    be16 low_port{};
    be16 high_port{};
    uint16_t zone = 0;
    uint8_t protocol = 0;
    uint8_t pad[9]{};
};
static_assert(sizeof(FlowKey6) == 48);

// A normalised key: both directions of a flow without translation give the same bytes, and
// `swapped` tells them apart. Endpoints are sorted by (address, port); an ICMP query is not
// sorted but written in the direction of its request, because A's ping of B and B's ping of A with
// the same identifier are two flows.
struct KeyOrder {
    bool swapped = false;
    // Both endpoints are equal ("land"): the tuple is its own reply.
    bool self_inverse = false;
};

KeyOrder make_key(const Tuple& tuple, FlowKey4& key) noexcept;  // tuple.family == Ipv4
KeyOrder make_key(const Tuple& tuple, FlowKey6& key) noexcept;  // tuple.family == Ipv6

// The tuple that has this key, not swapped.
Tuple tuple_of(const FlowKey4& key) noexcept;
Tuple tuple_of(const FlowKey6& key) noexcept;

}  // namespace rampart
