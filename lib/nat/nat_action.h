// NatAction: what a rule of nat.prerouting or nat.postrouting asks for, as compiled from its
// target (rules/targets/snat.cc and its kin).
//
// Immutable; shared by the rules and read by workers. What it means for one flow is found by
// nat/binding.h. Source: Linux's struct nf_nat_range2.
#pragma once

#include <cstdint>

#include "base/ip_address.h"

namespace rampart {

enum class NatKind : uint8_t {
    None,        // no_nat: the flow keeps its addresses
    Snat,        // source := first..last
    Masquerade,  // source := an address of the interface it leaves by
    Dnat,        // destination := first..last
    Redirect,    // destination := an address of the interface it came in by
    Netmap,      // the network part is exchanged, one to one
};

struct NatAction {
    NatKind kind = NatKind::None;
    // Of `first` and `last`. None (masquerade, redirect, no_nat): packets of both families.
    Family family = Family::None;
    bool is_random = false;      // the port is always drawn
    bool is_persistent = false;  // Snat: a source has one address, whatever the destination is
    bool is_hairpin = false;     // Dnat: masquerade what leaves where it came in
    bool has_ports = false;
    AddressBytes first{};     // Netmap: the first address of the network
    AddressBytes last{};      // ... and the last one; first and last of a range otherwise
    uint16_t first_port = 0;  // valid with has_ports; the same for a single port
    uint16_t last_port = 0;
    // Dnat of a range of ports to a range of ports: the first of those that were sent to; port n
    // of one becomes port n of the other. 0: they are not shifted.
    uint16_t base_port = 0;
    // Netmap of IPv6 that keeps checksums right without touching the transport header (RFC 6296).
    bool is_checksum_neutral = false;
    // Snat: position of the rule among those of its configuration with a pool.
    uint16_t pool = 0;

    bool operator==(const NatAction&) const = default;
};

}  // namespace rampart
