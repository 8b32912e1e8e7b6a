// Fragments for tests: one piece of a frame's datagram, and pieces put together again.
//
// Written from RFC 791 and RFC 8200 without lib/packet, so that a mistake there cannot hide here.
// IPv6 extension headers belong to the fragmentable part, but for hop-by-hop options.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/frame.h"

namespace rampart::test {

struct PieceSpec {
    uint32_t offset = 0, length = 0;  // of the IP payload
    uint32_t id = 1;
    std::optional<bool> more;     // default: true unless it reaches the end
    std::optional<uint8_t> fill;  // bytes other than the datagram's
};

// The frame that carries one piece of `frame`'s datagram.
Bytes fragment_frame(const Bytes& frame, const PieceSpec& piece);
// "0+1000 id 7 last fill ff", the words after `piece`.
PieceSpec parse_piece(const std::vector<std::string>& words);

// IP length of a frame's packet, without Ethernet padding.
uint32_t ip_length_of(const Bytes& frame);
// The IP payload of the datagram that `frames` are the fragments of, in order; empty when they are
// not all of one datagram, or a header is wrong.
Bytes joined_payload(const std::vector<Bytes>& frames);
// The IP payload (after the unfragmentable part) of a frame that is no fragment.
Bytes payload_of(const Bytes& frame);

}  // namespace rampart::test
