// Fragmentation: a datagram that was put together leaves in fragments again, none larger than the
// largest it came in (netfilter does the same, so that path MTUs stay as the sender found them).
//
// While the pieces still are as they came, one mbuf each, they only get their headers back.
// Otherwise they are copied into new mbufs from the datagram's pool. Worker that transmits.
// RFC 791, 3.2; RFC 8200, 4.5.
#pragma once

#include <cstdint>

#include "packet/packet.h"

struct rte_mbuf;

namespace rampart {

inline constexpr uint32_t kMaxOutputFragments = 128;

// `datagram` is marked (dataplane/datagram_mark.h). Fills `out`, which has room for
// kMaxOutputFragments, and then the datagram is gone. 0: no mbufs left, or too many fragments; it
// stays the caller's.
uint32_t cut_datagram(rte_mbuf* datagram, const Packet& packet, rte_mbuf** out) noexcept;

}  // namespace rampart
