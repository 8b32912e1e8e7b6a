// Forwarding: how the packets of a flow leave, in routed mode and with translation.
//
// A line of its own beside each Flow (same index), which a table for transparent pairs does not
// have. What depends on routes is valid for one Routing::epoch(). Worker only.
#pragma once

#include <cstdint>

#include "base/endian.h"
#include "conntrack/flow.h"
#include "packet/tuple.h"

namespace rampart {

// What IPv4 packets of one direction become, with the change of the sums over them (RFC 1624).
struct Rewrite4 {
    be32 src{};
    be32 dst{};
    be16 src_port{};  // or the identifier of ICMP, as in Tuple
    be16 dst_port{};
    uint16_t address_change = 0;
    uint16_t port_change = 0;
};
static_assert(sizeof(Rewrite4) == 16);

inline constexpr uint32_t kNoEgress = 0xffffffff;
inline constexpr uint32_t kEgressToBox = 0xfffffffe;   // to the kernel twin
inline constexpr uint32_t kEgressAsItIs = 0xfffffffd;  // the kernel has written its link header

struct alignas(64) Forwarding {
    Rewrite4 rewrite[2]{};                     // by direction; with kSrcNat or kDstNat
    uint32_t egress[2]{kNoEgress, kNoEgress};  // by direction; NeighbourSlot or the above
    uint32_t epoch = 0;                        // of `egress`
    // Flows with the same source and protocol, for nat/source_index.h.
    FlowIndex source_next = kNoFlow;
    FlowIndex source_previous = kNoFlow;
    uint32_t source_bucket = 0;  // plus one; 0: not there
};
static_assert(sizeof(Forwarding) == 64);

// The cold part: what the other side sees. Only flows with kSrcNat or kDstNat.
struct FlowReply {
    Tuple reply;
    uint16_t pool = 0;       // that the source's translation is from, plus one; 0: none
    uint8_t masquerade = 0;  // the interface whose address was taken, plus one; 0: none
    uint8_t pad[5]{};
};
static_assert(sizeof(FlowReply) == 48);

}  // namespace rampart
