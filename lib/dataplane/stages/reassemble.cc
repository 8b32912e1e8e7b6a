// reassemble: fragments to the worker that puts their datagram together, and whole datagrams back
// into the burst, parsed as if they had come in one piece. Before any rule (netfilter's order).
#include <array>

#include "dataplane/stages.h"
#include "packet/fragment.h"

namespace rampart {
namespace {

void count_lost(WorkerContext& context, DropReason reason, uint32_t count) noexcept {
    if (count != 0) context.counters.drops[static_cast<size_t>(reason)].add(count);
}

void add_fragment(Burst& burst, uint32_t i, const Fragment& fragment,
                  WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    const TimeoutId timeout =
        packet.family == Family::Ipv4 ? TimeoutId::Fragment4 : TimeoutId::Fragment6;
    const Reassembly::Outcome outcome =
        context.reassembly.add(burst.mbuf[i], packet, fragment, burst.hash[i], context.now.tick,
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
    const PacketMask mask = burst.fragments;
    burst.fragments = 0;
    std::array<Fragment, kBurstSize> fragments;
    KeyBatch keys4, keys6;
    for_each(mask, [&](uint32_t i) {
        Packet& packet = burst.packet[i];
        fragments[i] = read_fragment(packet);
        Reassembly::set_key(packet, fragments[i]);
        (packet.family == Family::Ipv4 ? keys4 : keys6).add(i, packet);
    });
    context.reassembly.hash(keys4, Family::Ipv4);
    context.reassembly.hash(keys6, Family::Ipv6);
    for (const KeyBatch* keys : {&keys4, &keys6})
        for (uint32_t at = 0; at < keys->count; ++at)
            burst.hash[keys->position[at]] = keys->hash[at];
    for_each(mask, [&](uint32_t i) {
        const uint16_t owner = context.steering.fragment_owner(burst.hash[i], context.worker);
        if (owner != context.worker) {
            burst.verdict[i] = Verdict::Consumed;
            burst.owner[i] = static_cast<uint8_t>(owner);
        } else {
            add_fragment(burst, i, fragments[i], context);
        }
    });
    burst.fragments = 0;
}

}  // namespace rampart
