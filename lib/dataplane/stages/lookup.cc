// lookup: flow keys -> FlowRef, for the whole burst at once, and the flows on their way to the cache.
#include "dataplane/stages.h"

namespace rampart {
namespace {

void lookup_family(Burst& burst, Family family, const FlowTable& flows) noexcept {
    const Packet* packets[kBurstSize];
    uint32_t hashes[kBurstSize];
    FlowRef refs[kBurstSize];
    uint8_t positions[kBurstSize];
    uint32_t count = 0;
    for_each(burst.keyed, [&](uint32_t i) {
        if (burst.packet[i].family != family) return;
        packets[count] = &burst.packet[i];
        hashes[count] = burst.hash[i];
        positions[count++] = static_cast<uint8_t>(i);
    });
    if (count == 0) return;
    flows.find(packets, family, count, hashes, refs);
    for (uint32_t at = 0; at < count; ++at) {
        const uint32_t i = positions[at];
        burst.flow[i] = refs[at];
        if (refs[at].is_none()) {
            burst.starting |= bit(i);
            continue;
        }
        burst.tracked |= bit(i);
        flows.prefetch(refs[at]);
        if (packets[at]->protocol == ip_protocol::kTcp) flows.prefetch_tcp(refs[at]);
    }
}

}  // namespace

void lookup(Burst& burst, WorkerContext& context) noexcept {
    lookup_family(burst, Family::Ipv4, context.flows);
    lookup_family(burst, Family::Ipv6, context.flows);
}

}  // namespace rampart
