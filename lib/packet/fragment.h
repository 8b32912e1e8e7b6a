// Fragments of IPv4 and IPv6 datagrams: reading them, and the headers before and after.
//
// A fragment's Packet (FrameKind::Fragment) has l4_offset and l4_length set to the piece of the
// datagram that it carries. Pure functions on bytes, any thread. RFC 791, 3.2; RFC 8200, 4.5;
// RFC 3168, 5.3 for the congestion bits.
#pragma once

#include <cstdint>

#include "packet/packet.h"

namespace rampart {

inline constexpr uint32_t kMaxDatagramBytes = 0xffff;
inline constexpr uint16_t kFragmentHeaderBytes = 8;  // IPv6

struct Fragment {
    uint32_t id = 0;
    uint16_t offset = 0;  // of the piece in its datagram, in bytes
    uint16_t length = 0;  // of the piece
    bool more = false;    // more fragments follow
    bool dont_fragment = false;
    uint8_t congestion = 0;  // the two ECN bits

    uint32_t end() const noexcept { return uint32_t{offset} + length; }
    bool is_whole() const noexcept { return offset == 0 && !more; }  // an atomic IPv6 fragment
};

namespace fragment_bits4 {
inline constexpr uint16_t kMore = 0x2000, kDontFragment = 0x4000, kOffset = 0x1fff;
}

inline Fragment read_fragment(const Packet& packet) noexcept {
    const uint8_t* ip = packet.l3();
    if (packet.family == Family::Ipv4) {
        const uint16_t word = load_host16(ip + 6);
        return {.id = load_host16(ip + 4),
                .offset = static_cast<uint16_t>((word & fragment_bits4::kOffset) * 8),
                .length = packet.l4_length,
                .more = (word & fragment_bits4::kMore) != 0,
                .dont_fragment = (word & fragment_bits4::kDontFragment) != 0,
                .congestion = static_cast<uint8_t>(ip[1] & 3)};
    }
    const uint8_t* header = packet.l4() - kFragmentHeaderBytes;
    const uint16_t word = load_host16(header + 2);
    return {.id = load_host32(header + 4),
            .offset = static_cast<uint16_t>(word & 0xfff8),
            .length = packet.l4_length,
            .more = (word & 1) != 0,
            .congestion = static_cast<uint8_t>(ip[1] >> 4 & 3)};
}

// RFC 7112: does the first fragment hold the whole header chain, up to and with the transport
// header? IPv4 allows what IPv6 does not: true there.
bool has_whole_header_chain(const Packet& packet) noexcept;

// What turns a datagram's header back into that of a fragment.
struct FragmentShape {
    uint32_t id = 0;              // of IPv6; IPv4 keeps it in its header
    uint16_t largest = 0;         // IP length of the largest fragment; 0: not from fragments
    uint16_t unfragmentable = 0;  // IPv6: bytes before the fragment header
    bool dont_fragment = false;   // IPv4: the largest fragment said so
    uint8_t pieces = 0;           // fragments that it was made of, one mbuf each or more; 0: none
};

// Removes an IPv6 fragment header by moving what stands before it, from the start of the frame, by
// kFragmentHeaderBytes towards the end. The caller drops as many bytes at the front. Returns the
// bytes from the IP header to where the fragment header was.
uint16_t remove_fragment_header(const Packet& packet) noexcept;

// Makes the header at `ip` that of a whole datagram of `ip_length` bytes; `congestion` is set in
// its ECN bits.
void write_datagram_header(uint8_t* ip, Family family, uint32_t ip_length,
                           uint8_t congestion) noexcept;

// Bytes of IP headers that each fragment of this datagram has. 0: not possible.
uint32_t fragment_header_bytes(const uint8_t* ip, Family family,
                               const FragmentShape& shape) noexcept;
// Writes them to `out` for the piece [offset, offset + length) of the datagram whose header is
// `ip`. Options that are not to be copied become NOPs in all but the first.
void write_fragment_header(uint8_t* out, const uint8_t* ip, Family family,
                           const FragmentShape& shape, const Fragment& piece) noexcept;

// The ECN bits to set in a datagram, from the set of those of its fragments: one bit for each of
// the four values. -1: some sender of the fragments knew of ECN and some did not (RFC 3168, 5.3).
int join_congestion(uint8_t seen) noexcept;

}  // namespace rampart
