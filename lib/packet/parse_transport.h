// The transport layer of the parser: what can be tracked, and under which key. See parser.h.
#pragma once

#include "packet/packet.h"

namespace rampart {

// Expects the IP fields of `packet`; sets key, swapped, tcp_flags and the ICMP marks, or `invalid`.
void parse_transport(Packet& packet) noexcept;

}  // namespace rampart
