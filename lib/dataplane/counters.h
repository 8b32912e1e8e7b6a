// WorkerCounters: what one worker counted since it started.
//
// Monotonic. Worker: rw, control: ro (sums over workers, computes rates, never resets). Per worker:
//   received + handed_in = forwarded + local + handed_out + sum(drops) + merged
//                          + Reassembly::held() + Unresolved::held()
// holds whenever the worker stands between two loops. A datagram that was put together and cut
// again counts once in `forwarded`.
#pragma once

#include <array>
#include <cstdint>

#include "base/shared.h"
#include "packet/drop_reason.h"
#include "packet/invalid_reason.h"
#include "rules/interface.h"

namespace rampart {

using Counter = Shared<uint64_t>;

struct alignas(64) PortCounters {
    Counter received_packets;
    Counter received_bytes;       // whole frames without FCS
    Counter transmitted_packets;  // forwarded and generated
    Counter transmitted_bytes;
    Counter transmit_dropped;  // the egress queue took no more
};

struct alignas(64) WorkerCounters {
    std::array<PortCounters, kMaxInterfaces> port;

    Counter received;    // from NIC queues
    Counter forwarded;   // received frames that went out
    Counter local;       // received frames that went to a kernel twin
    Counter merged;      // fragments that became part of a datagram, all but one of each
    Counter datagrams;   // put together from fragments
    Counter cut;         // fragments that went out of such datagrams
    Counter generated;   // replies to rejected packets that went out
    Counter handed_in;   // from other workers
    Counter handed_out;  // to other workers
    std::array<Counter, kDropReasonCount> drops;

    // Connection tracking; names as in `conntrack -S`.
    std::array<Counter, kInvalidReasonCount> invalid;
    Counter inserted;         // flows confirmed
    Counter expired;          // flows erased because their time was up
    Counter erased;           // flows erased by command or by their own packets
    Counter early_drop;       // flows that gave way to others
    Counter icmp_error;       // ICMP errors found INVALID
    Counter replies_limited;  // rejects that were not answered because of the rate limit

    Counter loops;
    Counter busy_cycles;  // TSC cycles of loops that found work
    Counter idle_cycles;
};

}  // namespace rampart
