// Translation: addresses and ports of a packet changed in place, its checksums with them.
//
// The sums are changed by the difference (RFC 1624), so what was wrong stays wrong, and a UDP
// checksum of zero stays zero. SCTP's checksum cannot be changed so: who calls makes it anew
// (dataplane/transport_checksum.h). Pure functions, any thread. Sources: RFC 1624, RFC 3022, RFC
// 5508 (ICMP errors), RFC 6296 (NPTv6).
#pragma once

#include <cstddef>

#include "conntrack/forwarding.h"
#include "packet/checksum.h"
#include "packet/packet.h"
#include "packet/tuple.h"

namespace rampart {

// What packets with the tuple `from` need to have `to`; both of IPv4.
Rewrite4 rewrite_of(const Tuple& from, const Tuple& to) noexcept;

// Fills flow.rewrite: packets with `original` become the inverse of `reply`, and back.
void set_rewrites(Forwarding& forwarding, const Tuple& original, const Tuple& reply) noexcept;

// An IPv4 packet that is no ICMP error.
void translate4(const Packet& packet, const Rewrite4& rewrite) noexcept;

// The same of TCP or UDP, inline.
inline void translate4_inline(Packet& packet, const Rewrite4& rewrite) noexcept {
    static_assert(offsetof(Rewrite4, dst) == 4 && offsetof(Rewrite4, dst_port) == 10);
    const auto changed = [](uint16_t checksum, uint32_t change) {
        return static_cast<uint16_t>(
            ~checksum_fold_short(uint32_t{static_cast<uint16_t>(~checksum)} + change));
    };
    uint8_t* l3 = packet.l3();
    uint8_t* l4 = packet.l4();
    const auto* ends = reinterpret_cast<const uint8_t*>(&rewrite);
    const bool is_tcp = packet.protocol == ip_protocol::kTcp;
    uint8_t* field = l4 + (is_tcp ? 16 : 6);
    const uint16_t old = load<uint16_t>(field);
    const uint16_t now =
        changed(old, uint32_t{rewrite.address_change} + uint32_t{rewrite.port_change});
    store(l3 + 12, load<uint64_t>(ends));
    store(l4, load<uint32_t>(ends + 8));
    store(l3 + 10, changed(load<uint16_t>(l3 + 10), rewrite.address_change));
    if (is_tcp)
        store(field, now);
    else if (old != 0)  // RFC 768: else none was made
        store(field, now == 0 ? uint16_t{0xffff} : now);
}

// Any packet that is no ICMP error: gives it the addresses and ports of `to`.
void translate(const Packet& packet, const Tuple& from, const Tuple& to) noexcept;

// An ICMP error: the packet it quotes gets the tuple `quoted`, the error itself the addresses of
// `outer`.
void translate_error(const Packet& packet, const Tuple& quoted, const Tuple& outer) noexcept;

// RFC 6296, 3.4: one word of the mapped address that makes its sum that of `from`; `prefix_length`
// bits stay.
AddressBytes checksum_neutral(const AddressBytes& from, AddressBytes mapped,
                              unsigned prefix_length) noexcept;

}  // namespace rampart
