// The stages of the packet path, in the order in which pipeline.cc runs them.
//
// Each takes the packets of its mask or batch, decides some and moves the rest to another.
// docs/packet-path.md tells the same story with the same names.
//
//   parse       bytes -> Packet; checksums            keys4/6 | flowless | fragments | decided
//   reassemble  fragments -> datagrams                keys4/6 | flowless | held | decided
//   steer       whose flow is it?                     keys4/6 | handed to its owner
//   raw         may it be tracked, or pass at all?    keys4/6 | flowless | dropped
//   lookup      flow keys -> FlowRef                  tracked | starting
//   track       what does it do to its flow?          cached verdict | tracked | flowless
//   forward     which port would it leave by?         out_port, or dropped
//   classify    what do the rules say?                verdict
//   establish   first packets: track, rules, table    verdict
#pragma once

#include "dataplane/burst.h"
#include "dataplane/chronicle.h"
#include "dataplane/context.h"
#include "rules/walk.h"

namespace rampart {

void parse(Burst& burst, WorkerContext& context) noexcept;
void reassemble(Burst& burst, WorkerContext& context) noexcept;
void steer(Burst& burst, WorkerContext& context) noexcept;
void raw(Burst& burst, WorkerContext& context) noexcept;
void lookup(Burst& burst, WorkerContext& context) noexcept;
void track(Burst& burst, WorkerContext& context) noexcept;
void forward(Burst& burst, WorkerContext& context) noexcept;
void classify(Burst& burst, WorkerContext& context) noexcept;
void establish(Burst& burst, WorkerContext& context) noexcept;

// For one packet, used by the loops above, by reassemble for datagrams that became whole, and by
// establish for packets that found their flow late.

void parse_packet(Burst& burst, uint32_t i, WorkerContext& context) noexcept;
// Counts an INVALID packet under its reason.
inline void count_invalid(WorkerContext& context, const Packet& packet) noexcept {
    context.counters.invalid[static_cast<size_t>(packet.invalid)].add(1);
    const InvalidReason why = packet.invalid;
    if (why == InvalidReason::IcmpEmbedded || why == InvalidReason::IcmpDestination ||
        why == InvalidReason::IcmpUnrelated || why == InvalidReason::IcmpRedirect)
        context.counters.icmp_error.add(1);
    chronicle_invalid(context, packet);
}
// Runs the tracker on burst.flow[i] and sets ct_class. False: the flow is gone or over, and the
// packet must be treated as a first one.
bool track_packet(Burst& burst, uint32_t i, WorkerContext& context) noexcept;
// Asks the cached verdict, then the rules.
void classify_tracked(Burst& burst, uint32_t i, WorkerContext& context) noexcept;
// Which rule of the chain each packet of `mask` meets first, looked up for all of them together.
// The ports they use and their class must be known: what judge() is asked later with another class
// is looked up again.
void propose_rules(Burst& burst, PacketMask mask, int chain, WorkerContext& context) noexcept;
// Where the walk of packet i through `chain` begins.
WalkStart start_of_walk(const Burst& burst, uint32_t i, int chain) noexcept;
// Asks the rules and sets the verdict. `flow` may be null.
struct Judged {
    PathId path = kNoPath;  // to cache; kNoPath: not to be cached
    bool is_essential = false;
};
Judged judge(Burst& burst, uint32_t i, WorkerContext& context, Flow* flow) noexcept;
// Sends the answer of a reject rule, if one may be sent.
void answer_reject(Burst& burst, uint32_t i, WorkerContext& context, RejectWith with,
                   Flow* flow) noexcept;

}  // namespace rampart
