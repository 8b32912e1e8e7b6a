// One hop: the TTL or hop limit of a packet that is forwarded. RFC 791, 3.1; RFC 1624.
// Pure function, any thread.
#pragma once

#include "packet/checksum.h"
#include "packet/packet.h"

namespace rampart {

// In the header and in `packet`; more than 0 before.
inline void decrement_hop_limit(Packet& packet) noexcept {
    uint8_t* l3 = packet.l3();
    --packet.hop_limit;
    if (packet.family == Family::Ipv6) {
        l3[7] = packet.hop_limit;
        return;
    }
    const uint16_t old = load<uint16_t>(l3 + 8);
    l3[8] = packet.hop_limit;
    store(l3 + 10, checksum_replace(load<uint16_t>(l3 + 10), old, load<uint16_t>(l3 + 8)));
}

// For a packet that begins its hop again on another worker.
inline void restore_hop_limit(Packet& packet) noexcept {
    uint8_t* l3 = packet.l3();
    ++packet.hop_limit;
    if (packet.family == Family::Ipv6) {
        l3[7] = packet.hop_limit;
        return;
    }
    const uint16_t old = load<uint16_t>(l3 + 8);
    l3[8] = packet.hop_limit;
    store(l3 + 10, checksum_replace(load<uint16_t>(l3 + 10), old, load<uint16_t>(l3 + 8)));
}

}  // namespace rampart
