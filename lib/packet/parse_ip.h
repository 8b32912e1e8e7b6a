// The IP layer of the parser: header checks that end in a drop. See parser.h.
#pragma once

#include <cstdint>

#include "packet/drop_reason.h"
#include "packet/packet.h"

namespace rampart {

struct IpOutcome {
    bool is_drop = false;
    DropReason reason{};
    bool is_fragment = false;  // l4 is then its piece of the datagram, see fragment.h
};

// Expect packet.frame, frame_contiguous and l3_offset; fill the fields up to l4_length.
IpOutcome parse_ipv4(Packet& packet, uint32_t frame_length, bool verify_checksum) noexcept;
IpOutcome parse_ipv6(Packet& packet, uint32_t frame_length) noexcept;

// Walks IPv6 extension headers from `offset`, the first byte after the fixed header, to the
// transport header. `end` bounds every read.
struct ExtensionWalk {
    enum class Result : uint8_t { Transport, NoTransport, Fragment, Malformed } result;
    uint8_t protocol;
    uint16_t offset;
};
ExtensionWalk walk_extensions(const uint8_t* bytes, uint32_t end, uint8_t next_header,
                              uint16_t offset) noexcept;

}  // namespace rampart
