// RuleInput: everything a match may look at, and a statement may change, for one packet.
//
// Filled by the raw and classify stages on the worker's stack just before the chains are walked;
// the chain sees the packet with its own direction's tuple (after destination translation, before
// source translation, once NAT exists). Valid only during the walk.
#pragma once

#include <span>

#include "base/clock.h"
#include "conntrack/ct_class.h"
#include "conntrack/flow.h"
#include "conntrack/flow_counts.h"
#include "packet/packet.h"
#include "packet/tuple.h"
#include "rules/interface.h"

namespace rampart {

class PacketLog;
class PathTable;
class RouteLookup;
struct Rule;

struct RuleInput {
    Packet& packet;
    const Tuple& tuple;  // of this packet, in its own direction
    CtClass ct_class = CtClass::Invalid;
    Direction direction = Direction::Original;
    InterfaceIndex in = kNoInterface;
    InterfaceIndex out = kNoInterface;
    // The packet's flow, also one that is not confirmed yet; null in raw and for packets of none.
    Flow* flow = nullptr;
    uint16_t status =
        0;  // of `flow` as this packet left it: later ones of its burst are tracked, too
    Now now{};
    FlowIndex flow_index = kNoFlow;         // of `flow`
    CountedFlows* counted_flows = nullptr;  // of this worker; null: no rule counts flows
    std::span<const Interface> interfaces;  // by number, of the rules' names
    // A statement changed what rules say about this flow: its verdicts must not be cached from this
    // walk, nor used from earlier ones.
    bool flow_changed = false;
    // What a statement did depends on the packet: this walk must not be remembered either.
    bool must_walk = false;
    // Somebody asks what would happen (control/packet_tracer.h): nothing that outlives the packet
    // and its flow may be changed, such as a bucket, a set or a counter. The flow is made up as
    // well.
    bool is_rehearsal = false;
    // Numbers of helpers (conntrack/helper_names.h); 0: none. `helper` is that of the flow's
    // master, or of the flow itself when it has no master; a statement asks for `wanted_helper` in
    // raw.
    uint8_t helper = 0;
    uint8_t wanted_helper = 0;
    const RouteLookup* routing = nullptr;  // null: nothing is routed
    uint32_t generation = 0;               // of the rules
    PacketLog* log = nullptr;              // this worker's; null: nothing is logged
    PathTable* paths = nullptr;            // this worker's counts; not null when `log` is not
    const Rule* rule = nullptr;            // whose statements are carried out
};

}  // namespace rampart
