// lookup: flow keys -> FlowRef, for the whole burst at once, and the flows on their way to the
// cache. A packet whose flow another worker keeps goes there.
#include "dataplane/stages.h"

namespace rampart {
namespace {

void take_entry(Burst& burst, uint32_t i, TableEntry found, WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    const TableEntry entry = context.flows.keys().settle(found, packet);
    if (entry.is_none()) [[unlikely]] {
        burst.flow[i] = FlowRef{};
        burst.starting |= bit(i);
        return;
    }
    if (entry.is_foreign()) [[unlikely]] {
        burst.verdict[i] = Verdict::Consumed;
        burst.owner[i] = static_cast<uint8_t>(entry.worker());
        return;
    }
    burst.flow[i] = entry.toward(packet.swapped);
    burst.tracked |= bit(i);
    context.flows.prefetch(burst.flow[i]);
    if (packet.protocol == ip_protocol::kTcp) context.flows.prefetch_tcp(burst.flow[i]);
    if (context.routed_ports != 0) context.flows.prefetch_forwarding(burst.flow[i]);
}

void lookup_family(Burst& burst, const KeyBatch& batch, Family family,
                   WorkerContext& context) noexcept {
    TableEntry entries[kBurstSize];
    context.flows.keys().find(batch, family, entries);
    for (uint32_t at = 0; at < batch.count; ++at) {
        const uint32_t i = batch.position[at];
        burst.hash[i] = batch.hash[at];
        take_entry(burst, i, entries[at], context);
    }
}

}  // namespace

void lookup(Burst& burst, WorkerContext& context) noexcept {
    if (burst.keys4.count != 0) lookup_family(burst, burst.keys4, Family::Ipv4, context);
    if (burst.keys6.count != 0) lookup_family(burst, burst.keys6, Family::Ipv6, context);
}

}  // namespace rampart
