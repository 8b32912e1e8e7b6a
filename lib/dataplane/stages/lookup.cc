// lookup: flow keys -> FlowRef, for the whole burst at once, and the flows on their way to the
// cache. A packet whose flow another worker keeps goes there.
#include "base/prefetch.h"
#include "dataplane/stages.h"

namespace rampart {
namespace {

// The unusual answers: none, a flow of another worker, one way of a translated flow.
void settle_entry(Burst& burst, uint32_t i, TableEntry found, WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    const TableEntry entry = context.flows.keys().settle(found, packet);
    if (entry.is_none()) {
        burst.flow[i] = FlowRef{};
        burst.starting |= bit(i);
    } else if (entry.is_foreign()) {
        burst.verdict[i] = Verdict::Consumed;
        burst.owner[i] = static_cast<uint8_t>(entry.worker());
    } else {
        burst.flow[i] = entry.toward(packet.swapped);
        burst.tracked |= bit(i);
        burst.tcp |= PacketMask{packet.protocol == ip_protocol::kTcp} << i;
    }
}

// rte_hash asks for nothing by itself.
void prefetch_flows(const Burst& burst, const WorkerContext& context) noexcept {
    for_each(burst.tracked, [&](uint32_t i) {
        context.flows.prefetch(burst.flow[i], 0);
        if (context.routed_ports != 0)
            prefetch_to_write(&context.flows.forwarding(burst.flow[i].index()));
    });
}

void lookup_family(Burst& burst, const KeyBatch& batch, Family family,
                   WorkerContext& context) noexcept {
    PacketMask tracked = 0, tcp = 0;
    context.flows.keys().find(
        batch, family,
        [&](uint32_t at, FlowRef ref) {
            const uint32_t i = batch.position[at];
            const Packet& packet = burst.packet[i];
            const auto is_swapped = static_cast<uint32_t>(packet.swapped);
            burst.flow[i] = FlowRef::from_raw(ref.raw() ^ is_swapped);
            tracked |= bit(i);
            tcp |= PacketMask{packet.protocol == ip_protocol::kTcp} << i;
        },
        [&](uint32_t at, TableEntry entry) {
            const uint32_t i = batch.position[at];
            const Packet& packet = burst.packet[i];
            if (entry.is_plain() || entry.is_foreign() || !entry.covers(KeyTable::order_of(packet)))
                return settle_entry(burst, i, entry, context);
            burst.flow[i] = entry.toward(packet.swapped);
            tracked |= bit(i);
            tcp |= PacketMask{packet.protocol == ip_protocol::kTcp} << i;
        });
    for (uint32_t at = 0; at < batch.count; ++at)
        burst.hash[batch.position[at]] = batch.hash[at];
    burst.tracked |= tracked;
    if (context.snapshot->conntrack.index == KeyIndexKind::RteHash) prefetch_flows(burst, context);
    burst.tcp |= tcp;
}

}  // namespace

void lookup(Burst& burst, WorkerContext& context) noexcept {
    if (burst.keys4.count != 0) lookup_family(burst, burst.keys4, Family::Ipv4, context);
    if (burst.keys6.count != 0) lookup_family(burst, burst.keys6, Family::Ipv6, context);
}

}  // namespace rampart
