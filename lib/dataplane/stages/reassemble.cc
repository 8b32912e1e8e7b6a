// reassemble: fragments to the worker that puts their datagram together, and whole datagrams back
// into the burst, parsed as if they had come in one piece. Before any rule (netfilter's order).
#include <array>
#include <span>

#include <rte_mbuf.h>

#include "dataplane/stages.h"
#include "packet/fragment.h"

namespace rampart {
namespace {

void count_lost(WorkerContext& context, DropReason reason, uint32_t count) noexcept {
    if (count != 0) context.counters.drops[static_cast<size_t>(reason)].add(count);
}

void complete(Burst& burst, uint32_t i, rte_mbuf* datagram, uint32_t pieces,
              WorkerContext& context) noexcept {
    context.counters.merged.add(pieces - 1);
    if (pieces > 1) context.counters.datagrams.add(1);
    burst.mbuf[i] = datagram;
    burst.arrived |= bit(i);
    // Each mbuf one piece: that is what the short way wants.
    if (datagram->nb_segs == pieces) [[likely]]
        parse_datagram(burst, i, context);
    else
        parse_packet(burst, i, context);
    burst.packet[i].is_datagram = pieces > 1;
    if (burst.fragments & bit(i)) burst.drop(i, DropReason::FragmentNested);
}

void add_fragment(Burst& burst, uint32_t i, const Fragment& fragment, Tick timeout,
                  WorkerContext& context) noexcept {
    const Reassembly::Outcome outcome = context.reassembly.add(
        burst.mbuf[i], burst.packet[i], fragment, burst.hash[i], context.now.tick, timeout);
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
            complete(burst, i, outcome.datagram, outcome.pieces, context);
            break;
    }
}

// The fragments of a burst, in the order of arrival.
struct Fragments {
    void add(Burst& burst, uint32_t i) noexcept {
        Reassembly::Arrival& next = arrival[count];
        next.mbuf = burst.mbuf[i];
        next.packet = &burst.packet[i];
        read_fragment(burst.packet[i], next.fragment);
        Reassembly::set_key(burst.packet[i], next.fragment.id);
        position[count++] = static_cast<uint8_t>(i);
    }
    std::span<const Reassembly::Arrival> from(uint32_t at, uint32_t end) const noexcept {
        return {arrival.data() + at, end - at};
    }

    uint32_t count = 0;
    std::array<uint8_t, kBurstSize> position;  // in the burst
    std::array<Reassembly::Arrival, kBurstSize> arrival;
};

void hash_keys(Burst& burst, const Fragments& fragments, const WorkerContext& context) noexcept {
    KeyBatch keys4, keys6;
    for (uint32_t at = 0; at < fragments.count; ++at) {
        const Packet& packet = *fragments.arrival[at].packet;
        (packet.family == Family::Ipv4 ? keys4 : keys6).add(fragments.position[at], packet);
    }
    context.reassembly.hash(keys4, Family::Ipv4);
    context.reassembly.hash(keys6, Family::Ipv6);
    for (const KeyBatch* keys : {&keys4, &keys6})
        for (uint32_t at = 0; at < keys->count; ++at)
            burst.hash[keys->position[at]] = keys->hash[at];
}

// Returns how many fragments it took: one, or all of a datagram.
uint32_t take_fragments(Burst& burst, const Fragments& fragments, uint32_t at,
                        WorkerContext& context) noexcept {
    const uint32_t i = fragments.position[at];
    const uint32_t hash = burst.hash[i];
    const uint16_t owner = context.steering.fragment_owner(hash, context.worker);
    if (owner != context.worker) {
        burst.verdict[i] = Verdict::Consumed;
        burst.owner[i] = static_cast<uint8_t>(owner);
        return 1;
    }
    const Reassembly::Arrival& first = fragments.arrival[at];
    const bool is_ipv4 = first.packet->family == Family::Ipv4;
    const Tick timeout =
        context.snapshot->conntrack.timeout(is_ipv4 ? TimeoutId::Fragment4 : TimeoutId::Fragment6);
    const uint32_t run = Reassembly::count_run(fragments.from(at, fragments.count));
    rte_mbuf* datagram =
        run == 0 ? nullptr : context.reassembly.join(fragments.from(at, at + run), hash, timeout);
    if (datagram == nullptr) {
        add_fragment(burst, i, first.fragment, timeout, context);
        return 1;
    }
    for (uint32_t held = at; held < at + run - 1; ++held)
        burst.verdict[fragments.position[held]] = Verdict::Held;
    complete(burst, fragments.position[at + run - 1], datagram, run, context);
    return run;
}

}  // namespace

void reassemble(Burst& burst, WorkerContext& context) noexcept {
    Fragments fragments;
    for_each(burst.fragments, [&](uint32_t i) { fragments.add(burst, i); });
    burst.fragments = 0;
    hash_keys(burst, fragments, context);
    for (uint32_t at = 0; at < fragments.count;)
        at += take_fragments(burst, fragments, at, context);
    burst.fragments = 0;
}

}  // namespace rampart
