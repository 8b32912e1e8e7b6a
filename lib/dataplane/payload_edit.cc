#include "dataplane/payload_edit.h"

#include <array>
#include <cstring>

#include "base/endian.h"
#include "packet/checksum.h"

namespace rampart {
namespace {

constexpr uint32_t kScratch = 16384;
constexpr uint32_t kUdpHeader = 8, kUdpLength = 4, kUdpChecksum = 6, kTcpChecksum = 16;
constexpr uint32_t kIpv4Length = 2, kIpv4Checksum = 10, kIpv6Length = 4;

// The bytes from `begin` of the payload on, with the edits. Their count, or 0: too many.
uint32_t write_tail(const uint8_t* payload, uint32_t begin, uint32_t size,
                    const PayloadEdits& edits, std::array<uint8_t, kScratch>& tail) noexcept {
    uint32_t at = begin, written = 0;
    if (size - begin + edits.growth() > kScratch) return 0;
    const auto copy = [&](const void* bytes, uint32_t count) {
        std::memcpy(tail.data() + written, bytes, count);
        written += count;
    };
    for (const PayloadEdit& edit : edits.edits()) {
        copy(payload + at, edit.offset - at);
        copy(edits.text_of(edit).data(), edit.text_length);
        at = uint32_t{edit.offset} + edit.length;
    }
    copy(payload + at, size - at);
    return written;
}

uint64_t negated(uint16_t sum) noexcept {
    return static_cast<uint16_t>(~sum);
}

// The checksum field after bytes that add up to `old_sum` became bytes that add up to `new_sum`.
uint16_t checksum_exchange(uint16_t checksum, uint64_t old_sum, uint64_t new_sum) noexcept {
    const uint64_t sum =
        negated(checksum) + negated(checksum_fold(old_sum)) + checksum_fold(new_sum);
    return static_cast<uint16_t>(~checksum_fold(sum));
}

void set_ip_length(Packet& packet, uint16_t ip_length) noexcept {
    uint8_t* ip = packet.l3();
    packet.ip_length = ip_length;
    if (packet.family == Family::Ipv6) {
        constexpr uint16_t kHeader = 40;
        store_host16(ip + kIpv6Length, static_cast<uint16_t>(ip_length - kHeader));
        return;
    }
    const be16 length = be16::from_host(ip_length);
    const uint16_t checksum = checksum_replace(load<uint16_t>(ip + kIpv4Checksum),
                                               load<uint16_t>(ip + kIpv4Length), length.raw);
    store(ip + kIpv4Length, length);
    store(ip + kIpv4Checksum, checksum);
}

// `old_sum` and `new_sum` are of what changed behind the header. A wrong checksum stays wrong.
void patch_transport(Packet& packet, uint16_t l4_length, uint64_t old_sum,
                     uint64_t new_sum) noexcept {
    uint8_t* l4 = packet.l4();
    const be16 old_length = be16::from_host(packet.l4_length);
    const be16 new_length = be16::from_host(l4_length);
    packet.l4_length = l4_length;
    const bool is_udp = packet.protocol == ip_protocol::kUdp;
    // The length stands in the pseudo header, and once more in the header of UDP.
    const uint64_t times = is_udp ? 2 : 1;
    old_sum = checksum_join(old_sum, times * old_length.raw);
    new_sum = checksum_join(new_sum, times * new_length.raw);
    if (is_udp) store(l4 + kUdpLength, new_length);
    uint8_t* field = l4 + (is_udp ? kUdpChecksum : kTcpChecksum);
    const auto checksum = load<uint16_t>(field);
    if (is_udp && checksum == 0) return;  // there is none (RFC 768)
    const uint16_t patched = checksum_exchange(checksum, old_sum, new_sum);
    store(field, static_cast<uint16_t>(is_udp && patched == 0 ? 0xffff : patched));
}

}  // namespace

bool apply_edits(rte_mbuf* mbuf, Packet& packet, const PayloadEdits& edits,
                 uint32_t max_ip_length) noexcept {
    if (edits.is_empty()) return true;
    const uint32_t header =
        packet.protocol == ip_protocol::kUdp ? kUdpHeader : (packet.l4()[12] >> 4) * 4u;
    uint8_t* payload = packet.l4() + header;
    const uint32_t size = packet.l4_length - header;
    const int32_t growth = edits.growth();
    const uint32_t ip_length = packet.ip_length + growth;
    // Bytes that UDP does not count would have to move, too.
    if (packet.protocol == ip_protocol::kUdp &&
        load_host16(packet.l4() + kUdpLength) != packet.l4_length)
        return false;
    // Padding of short frames is behind the packet, and room as well.
    const uint32_t frame_length = packet.l3_offset + ip_length;
    if (ip_length > max_ip_length || ip_length > UINT16_MAX || mbuf->nb_segs != 1 ||
        frame_length > uint32_t{mbuf->data_len} + rte_pktmbuf_tailroom(mbuf))
        return false;

    // From an even offset on, so that bytes keep their places in the words that are added up.
    const uint32_t begin = edits.edits()[0].offset & ~1u;
    std::array<uint8_t, kScratch> tail;
    const uint32_t tail_size = write_tail(payload, begin, size, edits, tail);
    if (tail_size == 0 && size + growth != begin) return false;

    const uint64_t old_sum = checksum_add(0, payload + begin, size - begin);
    const uint64_t new_sum = checksum_add(0, tail.data(), tail_size);
    std::memcpy(payload + begin, tail.data(), tail_size);
    mbuf->data_len = static_cast<uint16_t>(frame_length);
    mbuf->pkt_len = frame_length;
    packet.frame_contiguous = static_cast<uint16_t>(frame_length);
    set_ip_length(packet, static_cast<uint16_t>(ip_length));
    patch_transport(packet, static_cast<uint16_t>(packet.l4_length + growth), old_sum, new_sum);
    return true;
}

}  // namespace rampart
