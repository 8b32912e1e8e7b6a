// Translation: addresses and ports of a packet changed in place, its checksums with them.
//
// The sums are changed by the difference (RFC 1624), so what was wrong stays wrong, and a UDP
// checksum of zero stays zero. SCTP's checksum cannot be changed so: who calls makes it anew
// (dataplane/transport_checksum.h). Pure functions, any thread. Sources: RFC 1624, RFC 3022, RFC
// 5508 (ICMP errors), RFC 6296 (NPTv6).
#pragma once

#include "conntrack/forwarding.h"
#include "packet/packet.h"
#include "packet/tuple.h"

namespace rampart {

// What packets with the tuple `from` need to have `to`; both of IPv4.
Rewrite4 rewrite_of(const Tuple& from, const Tuple& to) noexcept;

// Fills flow.rewrite: packets with `original` become the inverse of `reply`, and back.
void set_rewrites(Forwarding& forwarding, const Tuple& original, const Tuple& reply) noexcept;

// An IPv4 packet that is no ICMP error.
void translate4(const Packet& packet, const Rewrite4& rewrite) noexcept;

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
