// reassemble: fragments to the worker that puts their datagram together, and whole datagrams back
// into the burst, parsed as if they had come in one piece. Before any rule (netfilter's order).
#include "dataplane/stages.h"

namespace rampart {
namespace {

void count_lost(WorkerContext& context, DropReason reason, uint32_t count) noexcept {
    if (count != 0) context.counters.drops[static_cast<size_t>(reason)].add(count);
}

void add_fragment(Burst& burst, uint32_t i, uint32_t hash, WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    const TimeoutId timeout =
        packet.family == Family::Ipv4 ? TimeoutId::Fragment4 : TimeoutId::Fragment6;
    const Reassembly::Outcome outcome =
        context.reassembly.add(burst.mbuf[i], packet, hash, context.now.tick,
                               context.snapshot->conntrack.timeout(timeout));
    count_lost(context, outcome.reason, outcome.lost);
    count_lost(context, DropReason::FragmentMemory, outcome.evicted);
    count_lost(context, DropReason::FragmentTimeout, outcome.expired);
    switch (outcome.kind) {
        case Reassembly::Outcome::Kind::Held:
            burst.verdict[i] = Verdict::Held;
            break;
        case Reassembly::Outcome::Kind::Drop:
            burst.drop(i, outcome.reason);
            break;
        case Reassembly::Outcome::Kind::Complete:
            context.counters.merged.add(outcome.pieces - 1);
            if (outcome.pieces > 1) context.counters.datagrams.add(1);
            burst.mbuf[i] = outcome.datagram;
            burst.arrived |= bit(i);
            parse_packet(burst, i, context);
            burst.packet[i].is_datagram = outcome.pieces > 1;
            if (burst.fragments & bit(i)) burst.drop(i, DropReason::FragmentNested);
            break;
    }
}

}  // namespace

void reassemble(Burst& burst, WorkerContext& context) noexcept {
    const PacketMask fragments = burst.fragments;
    burst.fragments = 0;
    for_each(fragments, [&](uint32_t i) {
        Packet& packet = burst.packet[i];
        const uint32_t hash = context.reassembly.hash_of(packet);
        const uint16_t owner = context.steering.fragment_owner(hash, context.worker);
        if (owner != context.worker) {
            burst.verdict[i] = Verdict::Consumed;
            burst.owner[i] = static_cast<uint8_t>(owner);
        } else {
            add_fragment(burst, i, hash, context);
        }
    });
    burst.fragments = 0;
}

}  // namespace rampart
