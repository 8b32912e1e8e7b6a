// FrameSpec: one frame as a test describes it, and build_frame(), which makes its bytes.
//
// Every length and checksum is right unless the spec says otherwise, so a test names only what it
// is about. The builder shares no code with lib/packet: its checksum is the textbook loop, so that
// a mistake there cannot hide here. Value types; no EAL needed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ip_address.h"

namespace rampart::test {

using Bytes = std::vector<uint8_t>;
using Mac = std::array<uint8_t, 6>;

inline constexpr Mac kStationMac = {0x02, 0, 0, 0, 0, 0x0a};
inline constexpr Mac kPeerMac = {0x02, 0, 0, 0, 0, 0x0b};

enum class Transport : uint8_t { Other, Tcp, Udp, UdpLite, Icmp, Sctp, Gre };
enum class ChecksumAs : uint8_t { Right, Wrong, Zero };

struct FrameSpec {
    // Link. A `payload_type` makes a frame that is not IP; `raw` replaces everything.
    Mac dst_mac = kPeerMac;
    Mac src_mac = kStationMac;
    struct Tag {
        uint16_t type;
        uint16_t tci;
    };
    std::vector<Tag> tags;
    std::optional<uint16_t> payload_type;  // EtherType of a frame that carries only `payload`
    std::optional<uint16_t> ether_type;    // overrides the one of the IP version
    Bytes raw;
    uint32_t pad = 0;             // bytes (of 0xee) after the IP packet
    std::optional<uint32_t> cut;  // frame bytes that remain

    // IP.
    IpAddress src;
    IpAddress dst;
    uint8_t protocol = 0;  // of Other; the rest know theirs
    uint8_t ttl = 64;
    uint8_t tos = 0;
    bool dont_fragment = false;
    bool more_fragments = false;
    uint16_t fragment_offset = 0;  // in units of eight bytes
    Bytes ip_options;              // a multiple of four bytes
    struct Extension {
        uint8_t type;
        Bytes bytes;  // whole header; byte 0 is filled in by the builder
    };
    std::vector<Extension> extensions;  // IPv6
    std::optional<uint8_t> version, header_words, next_header;
    std::optional<uint16_t> ip_length;  // IPv4 total length, IPv6 payload length
    bool bad_ip_checksum = false;

    // Transport.
    Transport transport = Transport::Other;
    uint16_t src_port = 0, dst_port = 0;
    uint32_t seq = 0, ack = 0;
    uint16_t window = 65535;
    uint8_t tcp_flags = 0;
    Bytes tcp_options;                   // padded to four bytes by the builder
    std::optional<uint8_t> data_offset;  // in words
    std::optional<uint16_t> udp_length;
    uint16_t coverage = 0;          // UDP-Lite; 0: everything
    std::optional<uint8_t> sum_as;  // protocol number in the pseudo header
    uint32_t verification_tag = 0;  // SCTP; its chunks are the payload
    uint8_t gre_version = 0;
    uint16_t gre_payload = 0x0800;    // EtherType of what GRE carries
    std::optional<uint16_t> call_id;  // GRE version 1
    std::optional<uint32_t> gre_key;  // GRE version 0
    uint8_t icmp_type = 0, icmp_code = 0;
    uint16_t icmp_id = 0, icmp_seq = 0;  // bytes 4 to 7
    ChecksumAs checksum = ChecksumAs::Right;
    Bytes payload;                          // of an ICMP error: the quoted packet
    std::optional<uint32_t> transport_cut;  // transport bytes that remain, header included
};

Bytes build_frame(const FrameSpec& spec);
// The IP packet alone: what an ICMP error quotes.
Bytes build_ip_packet(const FrameSpec& spec);

// RFC 1071 as it stands there, sixteen bits at a time, in host order.
uint16_t plain_checksum(const Bytes& bytes);
// CRC32c as in RFC 9260, appendix A, bit by bit; as a number, to be stored least byte first.
uint32_t plain_crc32c(const Bytes& bytes);

}  // namespace rampart::test
