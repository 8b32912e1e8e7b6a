// FlowFilter: which flows a `conntrack` command means. All conditions must hold.
//
// Filled by conntrack_options from the command line. The conditions and their meaning are those of
// conntrack-tools. Value type, any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ip_address.h"
#include "control/flow_list.h"

namespace rampart {

// The bits of an address that `mask` selects.
struct AddressCondition {
    AddressBytes address{};
    AddressBytes mask{};

    bool holds(const AddressBytes& bytes) const noexcept;
};

// A translation of one side: any, or to this address, or to this port.
struct NatCondition {
    std::optional<IpAddress> address;
    std::optional<uint16_t> port;
};

struct FlowFilter {
    std::optional<Family> family;
    std::optional<uint8_t> protocol;
    std::optional<AddressCondition> src, dst, reply_src, reply_dst;
    // Of the tuples as they are stored: GRE's keys and ICMP's fields stand in for ports.
    std::optional<uint16_t> src_port, dst_port, reply_src_port, reply_dst_port;
    std::optional<uint8_t> icmp_type, icmp_code;
    std::optional<uint8_t> state;  // number of the tracker's state
    uint16_t status_set = 0;       // flow_status bits that must be set
    uint16_t status_clear = 0;     // and those that must not
    bool matches_nothing = false;  // a bit that no flow here ever has
    std::optional<uint32_t> mark;  // of the bits in mark_mask
    uint32_t mark_mask = UINT32_MAX;
    std::optional<uint16_t> zone, orig_zone, reply_zone;
    std::optional<uint32_t> id;
    std::optional<NatCondition> src_nat, dst_nat, any_nat;

    bool matches(const FlowEntry& flow) const noexcept;
};

}  // namespace rampart
