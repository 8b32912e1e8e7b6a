// PortSets: sets of ports, one for each protocol that has its own.
//
// A value; 16 KiB.
#pragma once

#include <bitset>
#include <cstddef>

namespace rampart {

using PortSet = std::bitset<65536>;

struct PortSets {
    PortSet tcp, udp;
};

}  // namespace rampart
