// Binding: the translation of one flow, chosen as its first packet passes.
//
// `translated` is the original direction's tuple after translation; replies have its inverse. The
// choice follows netfilter (nf_nat_core.c, get_unique_tuple): a tuple that fits and is free is
// kept; a source that is translated already keeps its mapping; else an address is picked and a port
// searched, in the class of the old one. Beyond that, with several workers, replies must come home
// (TupleSpace::is_home), so a port is passed over whose replies would not; and a port that the box
// serves itself is not given to anybody (ReservedPorts).
// Worker only. Sources: Linux nf_nat_core.c; RFC 4787, RFC 6056.
#pragma once

#include <cstdint>

#include "conntrack/flow_table.h"
#include "conntrack/keyed_random.h"
#include "nat/nat_action.h"
#include "nat/reserved_ports.h"
#include "nat/source_index.h"

namespace rampart {

enum class Manip : uint8_t { Source, Destination };

// What a NatAction means for one packet: addresses of interfaces and networks filled in.
struct NatRange {
    bool has_addresses = false;
    bool has_ports = false;
    bool has_call_id = false;  // `ports` are call ids of PPTP's GRE; a rule's never are
    bool is_random = false;
    bool is_persistent = false;
    AddressBytes first{};
    AddressBytes last{};
    uint16_t first_port = 0;
    uint16_t last_port = 0;
    uint16_t base_port = 0;  // not 0: ports are shifted
};

// `interface_address` is what masquerade and redirect take. `tuple` as the packet has it.
NatRange range_of(const NatAction& action, Manip manip, const Tuple& tuple,
                  const AddressBytes& interface_address) noexcept;

// Which tuples are free, and whose replies come home.
struct TupleSpace {
    FlowTable& flows;
    const SourceIndex& sources;
    KeyedRandom& random;
    Tick now;
    const Flow& starting;  // the flow that looks for a tuple
    bool (*is_home)(const void* what, const Tuple& reply) noexcept = nullptr;  // null: all are
    const void* what = nullptr;
    const ReservedPorts* reserved = nullptr;  // null: no port is
    uint32_t expired = 0;                     // flows that were found to be over, and erased
    uint32_t killed = 0;                      // connections in TIME_WAIT that gave their port away

    bool is_taken(const Tuple& translated) noexcept;
    // A closed connection gives way when the search has become long.
    bool is_taken_hard(const Tuple& translated, uint32_t attempts_left) noexcept;
    bool comes_home(const Tuple& translated) const noexcept {
        return is_home == nullptr || is_home(what, invert(translated));
    }
    // Its source port is not for translation.
    bool is_reserved(const Tuple& translated) const noexcept {
        return reserved != nullptr &&
               reserved->contains(translated.protocol, translated.src_port.host());
    }
};

struct Binding {
    Tuple original;
    Tuple translated;

    explicit Binding(const Tuple& tuple) noexcept : original(tuple), translated(tuple) {}
    Tuple reply() const noexcept { return invert(translated); }
    bool keeps_source(const Tuple& candidate) const noexcept {
        return original.src == candidate.src && original.src_port == candidate.src_port;
    }
    bool changes_source() const noexcept { return !keeps_source(translated); }
    bool changes_destination() const noexcept {
        return original.dst != translated.dst || original.dst_port != translated.dst_port;
    }
};

// Chooses this half of the translation. The result may be taken, when nothing is free: then the
// flow cannot be confirmed.
void bind(TupleSpace& space, Binding& binding, Manip manip, const NatRange& range) noexcept;

}  // namespace rampart
