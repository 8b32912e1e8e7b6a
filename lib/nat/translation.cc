#include "nat/translation.h"

#include <algorithm>
#include <cstring>

#include "packet/checksum.h"
#include "packet/parser.h"

namespace rampart {
namespace {

// The change of a sum in which `old` is replaced by `now`: what checksum_apply() takes.
uint64_t change_of(uint64_t change, const uint8_t* old, const uint8_t* now, size_t size) noexcept {
    for (size_t at = 0; at < size; at += 2)
        change +=
            uint64_t{static_cast<uint16_t>(~load<uint16_t>(old + at))} + load<uint16_t>(now + at);
    return change;
}

uint16_t applied(uint16_t checksum, uint64_t change) noexcept {
    return static_cast<uint16_t>(
        ~checksum_fold(uint64_t{static_cast<uint16_t>(~checksum)} + change));
}

void apply(uint8_t* field, uint64_t change) noexcept {
    store(field, applied(load<uint16_t>(field), change));
}

// Where a transport header keeps its checksum, or 0: it has none that this file knows.
uint32_t checksum_place(uint8_t protocol) noexcept {
    switch (protocol) {
        case ip_protocol::kTcp:
            return 16;
        case ip_protocol::kUdp:
        case ip_protocol::kUdpLite:
            return 6;
        case ip_protocol::kIcmp:
        case ip_protocol::kIcmpv6:
            return 2;
        default:
            return 0;
    }
}

bool has_pseudo_header(uint8_t protocol) noexcept {
    return protocol != ip_protocol::kIcmp;
}

void apply_to_transport(uint8_t* l4, uint8_t protocol, uint64_t change) noexcept {
    const uint32_t place = checksum_place(protocol);
    if (place == 0) return;
    uint8_t* field = l4 + place;
    if (protocol != ip_protocol::kUdp) return apply(field, change);
    const uint16_t old = load<uint16_t>(field);
    if (old == 0) return;  // RFC 768: none was made
    const uint16_t now = applied(old, change);
    store(field, now == 0 ? uint16_t{0xffff} : now);
}

// The ports, the identifier or the call id; returns the change of the sum over them.
uint64_t write_ports(uint8_t* l4, const Tuple& from, const Tuple& to) noexcept {
    if (has_ports(to.protocol)) {
        const uint64_t change =
            change_of(change_of(0, l4, reinterpret_cast<const uint8_t*>(&to.src_port), 2), l4 + 2,
                      reinterpret_cast<const uint8_t*>(&to.dst_port), 2);
        store(l4, to.src_port);
        store(l4 + 2, to.dst_port);
        return change;
    }
    if (is_icmp(to.protocol) && from.src_port != to.src_port) {
        const uint64_t change =
            change_of(0, l4 + 4, reinterpret_cast<const uint8_t*>(&to.src_port), 2);
        store(l4 + 4, to.src_port);
        return change;
    }
    // The call id of PPTP's GRE (RFC 2637, 4.1), which no checksum covers.
    if (to.protocol == ip_protocol::kGre && from.dst_port != to.dst_port)
        store(l4 + 6, to.dst_port);
    return 0;
}

struct Place {
    size_t src;
    size_t size;  // of an address; the destination follows
};

Place address_place(Family family) noexcept {
    return family == Family::Ipv4 ? Place{12, 4} : Place{8, 16};
}

// Returns the change of the sum over the addresses.
uint64_t write_addresses(uint8_t* l3, Family family, const Tuple& to) noexcept {
    const Place place = address_place(family);
    uint64_t change = change_of(0, l3 + place.src, to.src.data(), place.size);
    change = change_of(change, l3 + place.src + place.size, to.dst.data(), place.size);
    std::memcpy(l3 + place.src, to.src.data(), place.size);
    std::memcpy(l3 + place.src + place.size, to.dst.data(), place.size);
    if (family == Family::Ipv4) apply(l3 + 10, change);
    return change;
}

}  // namespace

Rewrite4 rewrite_of(const Tuple& from, const Tuple& to) noexcept {
    Rewrite4 rewrite;
    rewrite.src = load<be32>(to.src.data());
    rewrite.dst = load<be32>(to.dst.data());
    rewrite.src_port = to.src_port;
    rewrite.dst_port = to.dst_port;
    uint64_t change = change_of(0, from.src.data(), to.src.data(), 4);
    change = change_of(change, from.dst.data(), to.dst.data(), 4);
    rewrite.address_change = checksum_fold(change);
    const auto bytes = [](const be16& port) { return reinterpret_cast<const uint8_t*>(&port); };
    change = change_of(0, bytes(from.src_port), bytes(to.src_port), 2);
    if (!is_icmp(from.protocol))
        change = change_of(change, bytes(from.dst_port), bytes(to.dst_port), 2);
    rewrite.port_change = checksum_fold(change);
    return rewrite;
}

void set_rewrites(Forwarding& forwarding, const Tuple& original, const Tuple& reply) noexcept {
    if (original.family != Family::Ipv4) return;
    forwarding.rewrite[0] = rewrite_of(original, invert(reply));
    forwarding.rewrite[1] = rewrite_of(reply, invert(original));
}

void translate4(const Packet& packet, const Rewrite4& rewrite) noexcept {
    uint8_t* l3 = const_cast<Packet&>(packet).l3();
    uint8_t* l4 = const_cast<Packet&>(packet).l4();
    store(l3 + 12, rewrite.src);
    store(l3 + 16, rewrite.dst);
    apply(l3 + 10, rewrite.address_change);
    uint64_t change = has_pseudo_header(packet.protocol) ? rewrite.address_change : 0;
    if (has_ports(packet.protocol)) {
        store(l4, rewrite.src_port);
        store(l4 + 2, rewrite.dst_port);
        change += rewrite.port_change;
    } else if (is_icmp(packet.protocol)) {
        store(l4 + 4, rewrite.src_port);
        change += rewrite.port_change;
    } else if (packet.protocol == ip_protocol::kGre && rewrite.port_change != 0xffff) {
        store(l4 + 6, rewrite.dst_port);
    }
    apply_to_transport(l4, packet.protocol, change);
}

void translate(const Packet& packet, const Tuple& from, const Tuple& to) noexcept {
    uint8_t* l3 = const_cast<Packet&>(packet).l3();
    uint8_t* l4 = const_cast<Packet&>(packet).l4();
    uint64_t change = write_addresses(l3, packet.family, to);
    if (!has_pseudo_header(packet.protocol)) change = 0;
    change += write_ports(l4, from, to);
    apply_to_transport(l4, packet.protocol, change);
}

// The sum over the error covers the quoted packet as well, so every change inside shows outside.
void translate_error(const Packet& packet, const Tuple& quoted, const Tuple& outer) noexcept {
    constexpr uint32_t kMostL4 = 20;  // of the transport header, what may change
    Packet& own = const_cast<Packet&>(packet);
    const QuotedPacket place = quoted_packet_of(packet);
    const Family family = packet.family;
    uint8_t* inner = own.frame + packet.inner_l3_offset;
    uint8_t* l4 = own.frame + place.l4_offset;
    const uint32_t header = family == Family::Ipv4 ? 20 : 40;
    const uint32_t l4_bytes = std::min<uint32_t>(place.l4_readable, kMostL4) & ~1u;
    uint8_t header_before[40];
    uint8_t l4_before[kMostL4];
    std::memcpy(header_before, inner, header);
    std::memcpy(l4_before, l4, l4_bytes);

    uint64_t change = write_addresses(inner, family, quoted);
    if (!has_pseudo_header(quoted.protocol)) change = 0;
    if (l4_bytes >= 4) {
        change += write_ports(l4, place.tuple, quoted);
        const uint32_t needed = quoted.protocol == ip_protocol::kTcp ? 18 : 8;
        if (l4_bytes >= needed) apply_to_transport(l4, quoted.protocol, change);
    }
    uint64_t inside = change_of(0, header_before, inner, header);
    inside = change_of(inside, l4_before, l4, l4_bytes);
    const uint64_t outside = write_addresses(own.l3(), family, outer);
    if (packet.protocol == ip_protocol::kIcmpv6) inside += outside;
    apply(own.l4() + 2, inside);
}

AddressBytes checksum_neutral(const AddressBytes& from, AddressBytes mapped,
                              unsigned prefix_length) noexcept {
    const uint64_t change = change_of(0, mapped.data(), from.data(), 16);
    // RFC 6296, 3.4 and 3.5: the word behind a /48; else the first of the interface identifier that
    // is not all ones.
    size_t word = 3;
    if (prefix_length > 48) {
        word = 4;
        while (word < 8 && load<uint16_t>(mapped.data() + word * 2) == 0xffff)
            ++word;
        if (word == 8) return mapped;
    }
    const uint16_t adjusted =
        checksum_fold(uint64_t{load<uint16_t>(mapped.data() + word * 2)} + change);
    store(mapped.data() + word * 2, adjusted == 0xffff ? uint16_t{0} : adjusted);
    return mapped;
}

}  // namespace rampart
