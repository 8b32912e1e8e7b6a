// One hop: the TTL or hop limit of a packet that is forwarded. RFC 791, 3.1; RFC 1624.
// Pure function, any thread.
#pragma once

#include "packet/checksum.h"
#include "packet/packet.h"

namespace rampart {

// In the header and in `packet`.
inline void set_hop_limit(Packet& packet, uint8_t hop_limit) noexcept {
    uint8_t* l3 = packet.l3();
    packet.hop_limit = hop_limit;
    if (packet.family == Family::Ipv6) {
        l3[7] = packet.hop_limit;
        return;
    }
    const uint16_t old = load<uint16_t>(l3 + 8);
    l3[8] = packet.hop_limit;
    store(l3 + 10, checksum_replace(load<uint16_t>(l3 + 10), old, load<uint16_t>(l3 + 8)));
}

// It is more than 0.
inline void decrement_hop_limit(Packet& packet) noexcept {
    set_hop_limit(packet, static_cast<uint8_t>(packet.hop_limit - 1));
}

// For a packet that begins its hop again on another worker.
inline void restore_hop_limit(Packet& packet) noexcept {
    set_hop_limit(packet, static_cast<uint8_t>(packet.hop_limit + 1));
}

}  // namespace rampart
