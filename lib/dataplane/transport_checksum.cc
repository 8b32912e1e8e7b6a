#include "dataplane/transport_checksum.h"

#include <algorithm>

#include <rte_hash_crc.h>
#include <rte_mbuf.h>

#include "packet/checksum.h"

namespace rampart {
namespace {

// Calls `visit(bytes, size)` for `length` bytes of the packet from `offset`, piece by piece.
template <typename Visit>
void for_each_piece(const rte_mbuf* mbuf, uint32_t offset, uint32_t length, Visit visit) noexcept {
    for (; mbuf != nullptr && length != 0; mbuf = mbuf->next) {
        const uint32_t skipped = std::min<uint32_t>(offset, mbuf->data_len);
        const uint32_t size = std::min<uint32_t>(length, mbuf->data_len - skipped);
        visit(rte_pktmbuf_mtod(mbuf, const uint8_t*) + skipped, size);
        offset -= skipped;
        length -= size;
    }
}

// The sum over `length` bytes from the transport header on, which may span segments. Bytes behind
// an odd number of others stand in the other half of their word (RFC 1071, 2 (B));
// rte_raw_cksum_mbuf() loses a carry there.
uint64_t transport_sum(const rte_mbuf* mbuf, const Packet& packet, uint32_t length) noexcept {
    if (packet.l4_offset + length <= mbuf->data_len) return checksum_add(0, packet.l4(), length);
    uint64_t sum = 0;
    uint32_t done = 0;
    for_each_piece(mbuf, packet.l4_offset, length, [&](const uint8_t* bytes, uint32_t size) {
        const uint16_t part = checksum_fold(checksum_add(0, bytes, size));
        sum += done & 1 ? __builtin_bswap16(part) : part;
        done += size;
    });
    return sum;
}

uint32_t crc32c_add(uint32_t crc, const uint8_t* bytes, uint32_t size) noexcept {
    for (; size >= 8; bytes += 8, size -= 8)
        crc = rte_hash_crc_8byte(load<uint64_t>(bytes), crc);
    for (; size != 0; ++bytes, --size)
        crc = rte_hash_crc_1byte(*bytes, crc);
    return crc;
}

constexpr uint32_t kSctpChecksumAt = 8;

// RFC 9260, 6.8 and appendix A: CRC32c with the checksum field as zero.
uint32_t sctp_checksum(const rte_mbuf* mbuf, const Packet& packet) noexcept {
    constexpr uint32_t kChecksumAt = kSctpChecksumAt, kPayloadAt = 12;
    uint32_t crc = crc32c_add(0xffffffff, packet.l4(), kChecksumAt);
    crc = rte_hash_crc_4byte(0, crc);
    for_each_piece(
        mbuf, packet.l4_offset + kPayloadAt, packet.l4_length - kPayloadAt,
        [&](const uint8_t* bytes, uint32_t size) { crc = crc32c_add(crc, bytes, size); });
    return ~crc;
}

// It stands least significant byte first.
bool is_sctp_checksum_good(const rte_mbuf* mbuf, const Packet& packet) noexcept {
    return sctp_checksum(mbuf, packet) == load<uint32_t>(packet.l4() + kSctpChecksumAt);
}

}  // namespace

void write_sctp_checksum(const rte_mbuf* mbuf, const Packet& packet) noexcept {
    store(const_cast<Packet&>(packet).l4() + kSctpChecksumAt, sctp_checksum(mbuf, packet));
}

bool is_checksum_right(const rte_mbuf* mbuf, const Packet& packet) noexcept {
    uint64_t pseudo = 0;
    uint32_t covered = packet.l4_length, length = packet.l4_length;
    uint8_t protocol = packet.protocol;
    switch (protocol) {
        case ip_protocol::kUdp:
            if (load<uint16_t>(packet.l4() + 6) == 0) return true;  // RFC 768: none was made
            break;
        case ip_protocol::kUdpLite:
            if (const uint16_t coverage = load_host16(packet.l4() + 4); coverage != 0)
                covered = coverage;
            // As Linux's connection tracking does, and not as RFC 3828 says (docs/conntrack.md):
            // the protocol number is UDP's, and over IPv4 only one byte of the length is counted.
            protocol = ip_protocol::kUdp;
            if (packet.family == Family::Ipv4) length &= 0xff;
            break;
        case ip_protocol::kSctp:
            return is_sctp_checksum_good(mbuf, packet);
        case ip_protocol::kTcp:
        case ip_protocol::kIcmp:
        case ip_protocol::kIcmpv6:
            break;
        default:
            return true;
    }
    if (packet.family == Family::Ipv6)
        pseudo = pseudo_header_sum6(packet.l3(), protocol, length);
    else if (protocol != ip_protocol::kIcmp)
        pseudo = pseudo_header_sum4(packet.l3(), protocol, length);
    const uint16_t sum = checksum_fold(checksum_join(pseudo, transport_sum(mbuf, packet, covered)));
    // Zero stands for 0xffff where all is zero: an ICMP message without a pseudo header may be.
    return sum == 0xffff || sum == 0;
}

}  // namespace rampart
