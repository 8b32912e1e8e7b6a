#include "packet/tuple.h"

#include <cstring>
#include <utility>

#include "packet/icmp_types.h"
#include "packet/packet.h"

namespace rampart {
namespace {

// Both families' query types in one place; {} for other protocols.
IcmpType icmp_type_of(const Tuple& tuple) noexcept {
    if (tuple.protocol == ip_protocol::kIcmp) return icmp4_type(tuple.icmp_type());
    if (tuple.protocol == ip_protocol::kIcmpv6) return icmp6_type(tuple.icmp_type());
    return {};
}

be16 with_type(be16 type_and_code, uint8_t type) noexcept {
    return be16::from_host(static_cast<uint16_t>(type << 8 | (type_and_code.host() & 0xff)));
}

be32 address4(const AddressBytes& bytes) noexcept {
    return load<be32>(bytes.data());
}
AddressBytes address6(const AddressBytes& bytes) noexcept {
    return bytes;
}

template <typename Key, typename Address, typename Less>
KeyOrder fill_key(const Tuple& tuple, Key& key, Address address, Less less) noexcept {
    key = Key{};
    key.zone = tuple.zone;
    key.protocol = tuple.protocol;
    const auto src = address(tuple.src);
    const auto dst = address(tuple.dst);
    KeyOrder order;
    be16 low_port = tuple.src_port, high_port = tuple.dst_port;
    if (is_icmp(tuple.protocol)) {
        const IcmpType type = icmp_type_of(tuple);
        order.swapped = type.kind == IcmpKind::Reply;
        if (order.swapped) high_port = with_type(tuple.dst_port, type.inverse);
    } else {
        order.self_inverse = src == dst && tuple.src_port == tuple.dst_port;
        order.swapped = src == dst ? tuple.src_port.host() > tuple.dst_port.host() : less(dst, src);
        if (order.swapped) std::swap(low_port, high_port);
    }
    key.low_address = order.swapped ? dst : src;
    key.high_address = order.swapped ? src : dst;
    key.low_port = low_port;
    key.high_port = high_port;
    return order;
}

template <typename Key>
Tuple tuple_without_addresses(const Key& key, Family family) noexcept {
    Tuple tuple;
    tuple.src_port = key.low_port;
    tuple.dst_port = key.high_port;
    tuple.protocol = key.protocol;
    tuple.family = family;
    tuple.zone = key.zone;
    return tuple;
}

}  // namespace

Tuple invert(const Tuple& tuple) noexcept {
    Tuple inverse = tuple;
    std::swap(inverse.src, inverse.dst);
    if (!is_icmp(tuple.protocol)) {
        std::swap(inverse.src_port, inverse.dst_port);
        return inverse;
    }
    const IcmpType type = icmp_type_of(tuple);
    if (type.kind == IcmpKind::Request || type.kind == IcmpKind::Reply)
        inverse.dst_port = with_type(tuple.dst_port, type.inverse);
    return inverse;
}

KeyOrder make_key(const Tuple& tuple, FlowKey4& key) noexcept {
    return fill_key(tuple, key, address4, [](be32 a, be32 b) { return a.host() < b.host(); });
}

KeyOrder make_key(const Tuple& tuple, FlowKey6& key) noexcept {
    return fill_key(tuple, key, address6, [](const AddressBytes& a, const AddressBytes& b) {
        return std::memcmp(a.data(), b.data(), a.size()) < 0;
    });
}

Tuple tuple_of(const FlowKey4& key) noexcept {
    Tuple tuple = tuple_without_addresses(key, Family::Ipv4);
    std::memcpy(tuple.src.data(), &key.low_address, sizeof(key.low_address));
    std::memcpy(tuple.dst.data(), &key.high_address, sizeof(key.high_address));
    return tuple;
}

Tuple tuple_of(const FlowKey6& key) noexcept {
    Tuple tuple = tuple_without_addresses(key, Family::Ipv6);
    tuple.src = key.low_address;
    tuple.dst = key.high_address;
    return tuple;
}

}  // namespace rampart
