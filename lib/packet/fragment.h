// Fragments of IPv4 and IPv6 datagrams: reading them, and the headers before and after.
//
// A fragment's Packet (FrameKind::Fragment) has l4_offset and l4_length set to the piece of the
// datagram that it carries. Pure functions on bytes, any thread. RFC 791, 3.2; RFC 8200, 4.5;
// RFC 3168, 5.3 for the congestion bits.
#pragma once

#include <cstdint>

#include "packet/checksum.h"
#include "packet/packet.h"

namespace rampart {

inline constexpr uint32_t kMaxDatagramBytes = 0xffff;
inline constexpr uint16_t kFragmentHeaderBytes = 8;  // IPv6

struct Fragment {
    uint32_t id;
    uint16_t offset;  // of the piece in its datagram, in bytes
    uint16_t length;  // of the piece
    bool more;        // more fragments follow
    bool dont_fragment;
    uint8_t congestion;  // the two ECN bits

    uint32_t end() const noexcept { return uint32_t{offset} + length; }
    bool is_whole() const noexcept { return offset == 0 && !more; }  // an atomic IPv6 fragment
};

namespace fragment_bits4 {
inline constexpr uint16_t kMore = 0x2000, kDontFragment = 0x4000, kOffset = 0x1fff;
}

// Into its place: a copy of the whole would wait for the narrow stores that made it.
inline void read_fragment(const Packet& packet, Fragment& fragment) noexcept {
    const uint8_t* ip = packet.l3();
    fragment.length = packet.l4_length;
    if (packet.family == Family::Ipv4) {
        const uint16_t word = load_host16(ip + 6);
        fragment.id = load_host16(ip + 4);
        fragment.offset = static_cast<uint16_t>((word & fragment_bits4::kOffset) * 8);
        fragment.more = (word & fragment_bits4::kMore) != 0;
        fragment.dont_fragment = (word & fragment_bits4::kDontFragment) != 0;
        fragment.congestion = static_cast<uint8_t>(ip[1] & 3);
        return;
    }
    const uint8_t* header = packet.l4() - kFragmentHeaderBytes;
    const uint16_t word = load_host16(header + 2);
    fragment.id = load_host32(header + 4);
    fragment.offset = static_cast<uint16_t>(word & 0xfff8);
    fragment.more = (word & 1) != 0;
    fragment.dont_fragment = false;
    fragment.congestion = static_cast<uint8_t>(ip[1] >> 4 & 3);
}

inline Fragment read_fragment(const Packet& packet) noexcept {
    Fragment fragment;
    read_fragment(packet, fragment);
    return fragment;
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

// Of a datagram over IPv4: what differs from fragment to fragment, but for options.
class FragmentHeader4 {
  public:
    FragmentHeader4(const uint8_t* ip, const FragmentShape& shape) noexcept
        : header_bytes_((ip[0] & 0x0f) * 4u),
          flags_(shape.dont_fragment ? fragment_bits4::kDontFragment : 0u),
          sum_(inverse(ip + 2) + inverse(ip + 6) + inverse(ip + 10)) {}
    // To a copy of the datagram's header.
    void write(uint8_t* out, const Fragment& piece) const noexcept {
        const auto length = be16::from_host(static_cast<uint16_t>(header_bytes_ + piece.length));
        const auto place = be16::from_host(static_cast<uint16_t>(
            piece.offset / 8u | (piece.more ? fragment_bits4::kMore : 0u) | flags_));
        store(out + 2, length.raw);
        store(out + 6, place.raw);
        store(out + 10, static_cast<uint16_t>(~checksum_fold_short(sum_ + length.raw + place.raw)));
    }

  private:
    static uint32_t inverse(const uint8_t* word) noexcept {
        return static_cast<uint16_t>(~load<uint16_t>(word));
    }
    uint32_t header_bytes_;
    uint32_t flags_;
    uint32_t sum_;  // RFC 1624, equation 3: of the checksum and the old words
};

// Writes all IP headers of the piece [offset, offset + length) to `out`; the datagram's own are at
// `ip`. Options that are not to be copied become NOPs in all but the first.
void write_fragment_header(uint8_t* out, const uint8_t* ip, Family family,
                           const FragmentShape& shape, const Fragment& piece) noexcept;

// The ECN bits to set in a datagram, from the set of those of its fragments: one bit for each of
// the four values. -1: some sender of the fragments knew of ECN and some did not (RFC 3168, 5.3).
int join_congestion(uint8_t seen) noexcept;

}  // namespace rampart
