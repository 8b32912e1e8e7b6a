// Carries out what a helper wants changed in a packet's payload
// (conntrack/helpers/payload_edits.h).
//
// The payload is moved within the mbuf's last bytes; lengths of IP and UDP and all checksums
// follow. A UDP checksum of zero stays zero. Sequence numbers are the caller's
// (conntrack/sequence_adjust.h). Owner: the worker that holds the packet. Nothing allocates.
#pragma once

#include <rte_mbuf.h>

#include "conntrack/helpers/payload_edits.h"
#include "packet/packet.h"

namespace rampart {

// `mbuf` has one segment and `packet` is its parsed view: TCP or UDP with a whole header; its
// lengths are updated. False: the result would be longer than `max_ip_length` or than there is
// room behind the packet; nothing is changed then.
bool apply_edits(rte_mbuf* mbuf, Packet& packet, const PayloadEdits& edits,
                 uint32_t max_ip_length) noexcept;

}  // namespace rampart
