// parse: bytes -> Packet, with checksums verified once, by the NIC or here.
#include <algorithm>

#include <rte_hash_crc.h>
#include <rte_mbuf.h>

#include "dataplane/stages.h"
#include "packet/checksum.h"
#include "packet/fragment.h"
#include "packet/parser.h"

namespace rampart {
namespace {

constexpr uint32_t kPrefetchAhead = 4;

// The headers of a packet in several segments must be readable in one piece: bytes are moved from
// the later segments to the first until it holds `wanted`. Returns the bytes readable in the first.
uint32_t pull_headers(rte_mbuf* mbuf, uint32_t wanted) noexcept {
    wanted = std::min(mbuf->pkt_len, wanted);
    while (mbuf->data_len < wanted && mbuf->next != nullptr) {
        rte_mbuf* next = mbuf->next;
        const uint32_t bytes = std::min({wanted - mbuf->data_len, uint32_t{next->data_len},
                                         uint32_t{rte_pktmbuf_tailroom(mbuf)}});
        std::copy_n(rte_pktmbuf_mtod(next, const uint8_t*), bytes,
                    rte_pktmbuf_mtod(mbuf, uint8_t*) + mbuf->data_len);
        mbuf->data_len = static_cast<uint16_t>(mbuf->data_len + bytes);
        next->data_off = static_cast<uint16_t>(next->data_off + bytes);
        next->data_len = static_cast<uint16_t>(next->data_len - bytes);
        if (next->data_len == 0) {
            mbuf->next = next->next;
            --mbuf->nb_segs;
            rte_pktmbuf_free_seg(next);
        } else if (bytes == 0) {
            break;  // no room: the parser sees what there is
        }
    }
    return mbuf->data_len;
}

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

// RFC 9260, 6.8 and appendix A: CRC32c with the checksum field as zero, least significant byte
// first.
bool is_sctp_checksum_good(const rte_mbuf* mbuf, const Packet& packet) noexcept {
    constexpr uint32_t kChecksumAt = 8, kPayloadAt = 12;
    uint32_t crc = crc32c_add(0xffffffff, packet.l4(), kChecksumAt);
    crc = rte_hash_crc_4byte(0, crc);
    for_each_piece(
        mbuf, packet.l4_offset + kPayloadAt, packet.l4_length - kPayloadAt,
        [&](const uint8_t* bytes, uint32_t size) { crc = crc32c_add(crc, bytes, size); });
    const uint8_t* field = packet.l4() + kChecksumAt;
    return ~crc == (uint32_t{field[3]} << 24 | uint32_t{field[2]} << 16 | uint32_t{field[1]} << 8 |
                    field[0]);
}

bool is_transport_checksum_good(const rte_mbuf* mbuf, const Packet& packet) noexcept {
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

void verify_transport_checksum(const rte_mbuf* mbuf, Packet& packet) noexcept {
    const uint64_t by_nic = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    // What a NIC calls bad is checked again: drivers disagree about a zero UDP checksum.
    if (by_nic == RTE_MBUF_F_RX_L4_CKSUM_GOOD || is_transport_checksum_good(mbuf, packet)) return;
    packet.invalid = InvalidReason::Checksum;
    packet.is_icmp_error = false;
    packet.is_untracked_icmpv6 = false;
}

// ARP and whatever else bridge.pass lists goes to the other side without connection tracking.
void pass_other_frame(Burst& burst, uint32_t i, const Snapshot& snapshot) noexcept {
    const LinkSettings& link = snapshot.link;
    const uint16_t type = burst.packet[i].ether_type;
    if (!link.pass_all && std::find(link.pass.begin(), link.pass.end(), type) == link.pass.end())
        return burst.drop(i, DropReason::EtherType);
    const InterfaceIndex peer =
        snapshot.ruleset.names.interfaces[burst.packet[i].in_port].bridge_peer;
    if (peer == kNoInterface) return burst.drop(i, DropReason::NoPeer);
    burst.packet[i].out_port = peer;
    burst.verdict[i] = Verdict::Forward;
}

void sort_ip_packet(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    Packet& packet = burst.packet[i];
    // SCTP's chunks are headers all along; the tracker reads those in the first segment.
    if (packet.protocol == ip_protocol::kSctp && burst.mbuf[i]->next != nullptr)
        packet.frame_contiguous = static_cast<uint16_t>(std::min(
            pull_headers(burst.mbuf[i], packet.l4_offset + uint32_t{packet.l4_length}), 0xffffu));
    if (packet.invalid == InvalidReason::None && context.snapshot->conntrack.checksum)
        verify_transport_checksum(burst.mbuf[i], packet);
    if (packet.invalid != InvalidReason::None) {
        burst.ct_class[i] = CtClass::Invalid;
        burst.flowless |= bit(i);
    } else if (packet.is_untracked_icmpv6) {
        burst.ct_class[i] = CtClass::Untracked;
        burst.flowless |= bit(i);
    } else {
        (packet.family == Family::Ipv4 ? burst.keys4 : burst.keys6).add(i, packet);
    }
}

// A fragment waits for the others. A first fragment of IPv6 that does not hold the whole header
// chain is no longer a part of anything: it is INVALID by itself.
void sort_fragment(Burst& burst, uint32_t i) noexcept {
    Packet& packet = burst.packet[i];
    if (read_fragment(packet).offset == 0 && !has_whole_header_chain(packet)) {
        packet.invalid = InvalidReason::FragmentHeader;
        burst.ct_class[i] = CtClass::Invalid;
        burst.flowless |= bit(i);
    } else {
        burst.fragments |= bit(i);
    }
}

}  // namespace

void parse_packet(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    rte_mbuf* mbuf = burst.mbuf[i];
    burst.frame_length[i] = mbuf->pkt_len;
    const uint32_t contiguous =
        mbuf->next == nullptr ? mbuf->data_len : pull_headers(mbuf, kMaxHeaderBytes);
    const uint64_t ip_by_nic = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    const ParseOutcome outcome =
        parse_frame(burst.packet[i], rte_pktmbuf_mtod(mbuf, uint8_t*), contiguous, mbuf->pkt_len,
                    {.verify_ip_checksum = ip_by_nic != RTE_MBUF_F_RX_IP_CKSUM_GOOD});
    switch (outcome.kind) {
        case FrameKind::Drop:
            burst.drop(i, outcome.reason);
            break;
        case FrameKind::Other:
            pass_other_frame(burst, i, *context.snapshot);
            break;
        case FrameKind::Ip:
            sort_ip_packet(burst, i, context);
            break;
        case FrameKind::Fragment:
            sort_fragment(burst, i);
            break;
    }
}

void parse(Burst& burst, WorkerContext& context) noexcept {
    burst.fragments = burst.tracked = burst.starting = burst.flowless = burst.proposed = 0;
    burst.keys4.count = burst.keys6.count = 0;
    for (uint32_t i = 0; i < std::min(burst.count, kPrefetchAhead); ++i)
        __builtin_prefetch(rte_pktmbuf_mtod(burst.mbuf[i], const void*));
    for (uint32_t i = 0; i < burst.count; ++i) {
        if (i + kPrefetchAhead < burst.count)
            __builtin_prefetch(rte_pktmbuf_mtod(burst.mbuf[i + kPrefetchAhead], const void*));
        burst.flow[i] = FlowRef{};
        parse_packet(burst, i, context);
    }
}

}  // namespace rampart
