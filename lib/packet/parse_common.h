// The most frequent packets, parsed without detours: TCP and UDP over IPv4 in untagged Ethernet II
// frames, without IP options or fragments, with nothing wrong. See parser.h.
//
// Recognises a subset and leaves everything else, every drop and every INVALID included, to the
// general parser; a test compares the two on random packets. Branch-free where the data decides.
#pragma once

#include <cstdint>

#include "packet/packet.h"

namespace rampart {

// True: `packet` is complete, exactly as parse_ipv4 and parse_transport would have left it.
bool parse_common(Packet& packet, uint8_t* frame, uint32_t contiguous, uint32_t length,
                  bool verify_checksum) noexcept;

}  // namespace rampart
