// lookup: flow keys -> FlowRef, for the whole burst at once, and the flows on their way to the
// cache.
#include "dataplane/stages.h"

namespace rampart {
namespace {

void lookup_family(Burst& burst, const KeyBatch& batch, Family family,
                   const FlowTable& flows) noexcept {
    FlowRef refs[kBurstSize];
    flows.find(batch, family, refs);
    for (uint32_t at = 0; at < batch.count; ++at) {
        const uint32_t i = batch.position[at];
        const Packet& packet = burst.packet[i];
        burst.hash[i] = batch.hash[at];
        if (refs[at].is_none()) [[unlikely]] {
            burst.flow[i] = FlowRef{};
            burst.starting |= bit(i);
            continue;
        }
        burst.flow[i] = FlowTable::toward(refs[at], packet);
        burst.tracked |= bit(i);
        flows.prefetch(refs[at]);
        if (packet.protocol == ip_protocol::kTcp) flows.prefetch_tcp(refs[at]);
    }
}

}  // namespace

void lookup(Burst& burst, WorkerContext& context) noexcept {
    if (burst.keys4.count != 0) lookup_family(burst, burst.keys4, Family::Ipv4, context.flows);
    if (burst.keys6.count != 0) lookup_family(burst, burst.keys6, Family::Ipv6, context.flows);
}

}  // namespace rampart
