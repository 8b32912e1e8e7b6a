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
//   route       which way would it leave?             out_port, egress, or dropped
//   classify    what do the rules say?                verdict
//   establish   first packets: track, rules, NAT,     verdict
//               table
//   translate   addresses, payload, link header       as it leaves
#pragma once

#include <new>

#include "conntrack/expectation.h"
#include "dataplane/burst.h"
#include "dataplane/chronicle.h"
#include "dataplane/context.h"
#include "nat/binding.h"
#include "packet/parser.h"
#include "packet/reply.h"
#include "rules/walk.h"

namespace rampart {

void parse(Burst& burst, WorkerContext& context) noexcept;
void reassemble(Burst& burst, WorkerContext& context) noexcept;
void steer(Burst& burst, WorkerContext& context) noexcept;
void raw(Burst& burst, WorkerContext& context) noexcept;
void lookup(Burst& burst, WorkerContext& context) noexcept;
void track(Burst& burst, WorkerContext& context) noexcept;
void route(Burst& burst, WorkerContext& context) noexcept;
void classify(Burst& burst, WorkerContext& context) noexcept;
void establish(Burst& burst, WorkerContext& context) noexcept;
void translate(Burst& burst, WorkerContext& context) noexcept;

// For one packet, used by the loops above, by reassemble for datagrams that became whole, and by
// establish for packets that found their flow late.

void parse_packet(Burst& burst, uint32_t i, WorkerContext& context) noexcept;
// The same of a datagram that became whole and has one mbuf for each of its pieces, all of them but
// the last of even length, with nothing behind its end.
void parse_datagram(Burst& burst, uint32_t i, WorkerContext& context) noexcept;
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
// Routed packets: sets out_port and egress by the destination of `tuple`. False: there is no way,
// and the packet is dropped.
bool find_way(Burst& burst, uint32_t i, WorkerContext& context, const Tuple& tuple) noexcept;
// The interface that such a packet would leave by, as out_port has it.
InterfaceIndex guess_way(Burst& burst, uint32_t i, WorkerContext& context,
                         const Tuple& tuple) noexcept;
// For packets that the route stage has put off, once their flow is known: both of these. False:
// dropped.
bool finish_route(Burst& burst, uint32_t i, WorkerContext& context) noexcept;
// What a router does before its forward hook: hop limit and MTU. False: dropped.
bool begin_hop(Burst& burst, uint32_t i, WorkerContext& context) noexcept;
// The worker that packets with this tuple come to.
inline uint16_t home_of(const Tuple& tuple, const WorkerContext& context) noexcept {
    return context.steering.owner_of(tuple, context.flows.keys().hash_of(tuple));
}
// The flow that this first packet may begin is to be another worker's: it goes there, and so will
// those that follow.
inline void hand_over_flow(Burst& burst, uint32_t i, WorkerContext& context,
                           uint16_t owner) noexcept {
    context.flows.foreign().promise(tuple_of(burst.packet[i]), owner, context.now.tick);
    burst.hand_over(i, owner);
}
// Some rule may translate flows.
inline bool translates(const WorkerContext& context) noexcept {
    const Ruleset& ruleset = context.snapshot->ruleset;
    return context.nat != nullptr &&
           (ruleset.prerouting != Ruleset::kNoChain || ruleset.postrouting != Ruleset::kNoChain);
}
// The packet's tuple as the filter chains see it: behind a translation of the destination, before
// one of the source.
inline const Tuple& tuple_for_rules(Burst& burst, uint32_t i) noexcept {
    if (!(burst.tupled & bit(i))) {
        // In place: a copy would wait for the parts that were just written.
        ::new (static_cast<void*>(&burst.tuple[i])) Tuple(tuple_of(burst.packet[i]));
        burst.tupled |= bit(i);
    }
    return burst.tuple[i];
}
// The base chain that judges it; Ruleset::kNoChain: there is none.
inline int chain_of(const Packet& packet, const Ruleset& ruleset) noexcept {
    if (packet.out_port == kToBox) [[unlikely]]
        return ruleset.input;
    return packet.in_port == kNoInterface ? ruleset.output : ruleset.forward;
}
// As rules see it.
inline InterfaceIndex egress_for_rules(const Packet& packet) noexcept {
    return packet.out_port == kToBox ? kNoInterface : packet.out_port;
}
// What rules are asked about a packet; `tuple` outlives it.
RuleInput rule_input(Burst& burst, uint32_t i, const Tuple& tuple, WorkerContext& context) noexcept;
// Asks the cached verdict, then the rules.
void classify_tracked(Burst& burst, uint32_t i, WorkerContext& context) noexcept;
// Which rule of its chain each packet of `mask` meets first, looked up for all of them together.
// The ports they use and their class must be known: what judge() is asked later with another class
// is looked up again.
void propose_rules(Burst& burst, PacketMask mask, WorkerContext& context) noexcept;
// Where the walk of packet i through `chain` begins.
inline WalkStart start_of_walk(const Burst& burst, uint32_t i, int chain) noexcept {
    if (!(burst.proposed & bit(i)) || burst.proposed_class[i] != burst.ct_class[i]) return {chain};
    return {chain, burst.first_rule[i]};
}
// The translation of a flow that begins, chosen by the chains of nat (netfilter's order: the
// destination before the filter, the source after it). False: the packet is dropped.
bool bind_destination(Burst& burst, uint32_t i, WorkerContext& context, Flow& flow,
                      Binding& binding) noexcept;
// The worker where the translation of this flow can be chosen so that replies come home. Found out
// by asking the rules without counting or changing anything: who owns the flow asks them again.
uint16_t owner_by_translation(Burst& burst, uint32_t i, WorkerContext& context,
                              const Flow& flow) noexcept;
// `pool` receives the number plus one of the pool that it is from, `masquerade` the interface
// plus one whose address was taken; 0: none.
struct SourceChoice {
    uint16_t pool = 0;
    uint8_t masquerade = 0;
};
bool bind_source(Burst& burst, uint32_t i, WorkerContext& context, Flow& flow, Binding& binding,
                 SourceChoice& choice) noexcept;
// Of a flow that a helper has announced: what its master's translation means for it.
void bind_child(WorkerContext& context, Flow& flow, Binding& binding,
                const Expectation& expectation, Manip manip) noexcept;
// Asks the rules and sets the verdict. `flow` may be null.
struct Judged {
    PathId path = kNoPath;  // to cache; kNoPath: not to be cached
    bool is_essential = false;
};
// `tuple` is the packet's tuple_for_rules(), where that is known.
Judged judge(Burst& burst, uint32_t i, WorkerContext& context, Flow* flow,
             const Tuple* tuple = nullptr) noexcept;
// Sends the answer of a reject rule, if one may be sent.
void answer_reject(Burst& burst, uint32_t i, WorkerContext& context, RejectWith with,
                   Flow* flow) noexcept;
// Sends the error that a router owes the sender of a packet it cannot forward, if it may.
void answer_error(Burst& burst, uint32_t i, WorkerContext& context,
                  const IcmpError& error) noexcept;

}  // namespace rampart
