// Interface: a port as rules see it, by index; and the sets of interfaces a rule can name.
//
// The index is the position in the configuration's `interfaces` (and the order in which the daemon
// brings up its ports); it is stable for the life of the process. Immutable once in a Snapshot.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/interface_index.h"

namespace rampart {

using InterfaceSet = std::bitset<kMaxInterfaces>;

// One more than there are interfaces: the last stands for kNoInterface.
using InterfacePresence = std::bitset<kMaxInterfaces + 1>;
constexpr size_t presence_bit(InterfaceIndex index) noexcept {
    return index < kMaxInterfaces ? index : kMaxInterfaces;
}

struct Interface {
    std::string name;
    InterfaceIndex bridge_peer = kNoInterface;  // the other port of a transparent pair
    bool is_routed = false;                     // it has none: what comes in here is routed
    InterfaceIndex parent = kNoInterface;       // of a VLAN: the port that carries it
    uint16_t vlan = 0;
    uint16_t mtu = 1500;
    // Of packets that come in here; unset: as `conntrack` says.
    std::optional<bool> tcp_loose = {}, tcp_be_liberal = {};
};

struct Zone {
    std::string name;
    InterfaceSet interfaces;
};

}  // namespace rampart
