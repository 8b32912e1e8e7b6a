#include "dataplane/fragmentation.h"

#include <algorithm>
#include <cstring>

#include <rte_mbuf.h>

#include "dataplane/datagram_mark.h"
#include "packet/fragment.h"
#include "packet/parse_common.h"

namespace rampart {
namespace {

// Of headers in front of a piece that gets them back in place.
constexpr uint32_t kMaxFront = RTE_PKTMBUF_HEADROOM + 18;

// Appends `size` bytes of `source` from `at` on, in as many mbufs as it takes.
bool append_copy(rte_mbuf* head, const rte_mbuf* source, uint32_t at, uint32_t size) noexcept {
    rte_mbuf* last = head;
    while (size != 0) {
        if (rte_pktmbuf_tailroom(last) == 0) {
            rte_mbuf* next = rte_pktmbuf_alloc(head->pool);
            if (next == nullptr) return false;
            last->next = next;
            last = next;
            ++head->nb_segs;
        }
        const uint32_t part = std::min<uint32_t>(size, rte_pktmbuf_tailroom(last));
        uint8_t* room = rte_pktmbuf_mtod(last, uint8_t*) + last->data_len;
        const void* bytes = rte_pktmbuf_read(source, at, part, room);
        if (bytes == nullptr) return false;
        if (bytes != room) std::memcpy(room, bytes, part);
        last->data_len = static_cast<uint16_t>(last->data_len + part);
        head->pkt_len += part;
        at += part;
        size -= part;
    }
    return true;
}

rte_mbuf* make_fragment(const rte_mbuf* datagram, const Packet& packet, const FragmentShape& shape,
                        const Fragment& piece) noexcept {
    const uint32_t headers = fragment_header_bytes(packet.l3(), packet.family, shape);
    rte_mbuf* mbuf = rte_pktmbuf_alloc(datagram->pool);
    if (mbuf == nullptr) return nullptr;
    uint8_t* room = reinterpret_cast<uint8_t*>(
        rte_pktmbuf_append(mbuf, static_cast<uint16_t>(packet.l3_offset + headers)));
    const uint32_t whole = packet.ip_length;
    const uint32_t at = packet.l3_offset + piece.offset +
                        (packet.family == Family::Ipv4 ? headers : shape.unfragmentable);
    if (room != nullptr && at + piece.length <= packet.l3_offset + whole) {
        std::memcpy(room, packet.frame, packet.l3_offset);
        write_fragment_header(room + packet.l3_offset, packet.l3(), packet.family, shape, piece);
        if (append_copy(mbuf, datagram, at, piece.length)) return mbuf;
    }
    rte_pktmbuf_free(mbuf);
    return nullptr;
}

// Bytes of IP headers in front of the datagram's first piece.
uint32_t kept_header_bytes(const Packet& packet, const FragmentShape& shape,
                           uint32_t headers) noexcept {
    return packet.family == Family::Ipv4 ? headers : shape.unfragmentable;
}

// Whether each mbuf holds one piece, with room for its headers, of a size that may leave.
bool is_as_it_came(const rte_mbuf* datagram, const Packet& packet, const FragmentShape& shape,
                   uint32_t headers) noexcept {
    if (shape.pieces == 0 || datagram->nb_segs != shape.pieces) return false;
    const uint32_t kept = packet.l3_offset + kept_header_bytes(packet, shape, headers);
    const uint32_t front = packet.l3_offset + headers;
    if (front > kMaxFront || datagram->pkt_len != packet.l3_offset + uint32_t{packet.ip_length})
        return false;
    uint32_t skipped = kept;
    for (const rte_mbuf* piece = datagram; piece != nullptr; piece = piece->next, skipped = 0) {
        if (piece->data_len <= skipped || !RTE_MBUF_DIRECT(piece) ||
            rte_mbuf_refcnt_read(piece) != 1 || piece->data_off + skipped < front)
            return false;
        const uint32_t length = piece->data_len - skipped;
        if (headers + length > shape.largest || (piece->next != nullptr && length % 8 != 0))
            return false;
    }
    return true;
}

// What the usual datagram has in front: Ethernet without a tag, IPv4 without options.
constexpr uint32_t kUsualIpOffset = common_packet::kIpOffset,
                   kUsualFront = common_packet::kTransportOffset;

bool has_usual_headers(const Packet& packet, uint32_t headers) noexcept {
    return packet.family == Family::Ipv4 && packet.l3_offset == kUsualIpOffset &&
           packet.l3_offset + headers == kUsualFront;
}

// After is_as_it_came(). `kIsUsual`: with has_usual_headers(), whose sizes are known here.
template <bool kIsUsual>
uint32_t split(rte_mbuf* datagram, const Packet& packet, const FragmentShape& shape,
               uint32_t headers, rte_mbuf** out) noexcept {
    const uint32_t link = kIsUsual ? kUsualIpOffset : packet.l3_offset;
    const uint32_t kept =
        kIsUsual ? kUsualFront : packet.l3_offset + kept_header_bytes(packet, shape, headers);
    const auto front = static_cast<uint16_t>(kIsUsual ? kUsualFront : packet.l3_offset + headers);
    // Those of the first piece are written over. In words: the usual ones stay in registers.
    uint64_t words[(kMaxFront + 7) / 8];
    auto* frame = reinterpret_cast<uint8_t*>(words);
    std::memcpy(frame, packet.frame, kept);
    const FragmentHeader4 header(packet.l3(), shape);
    rte_pktmbuf_adj(datagram, static_cast<uint16_t>(kept));
    datagram->ol_flags &= ~datagram_flag;
    uint32_t count = 0, offset = 0;
    for (rte_mbuf* piece = datagram; piece != nullptr; ++count) {
        rte_mbuf* next = piece->next;
        const Fragment fragment{.offset = static_cast<uint16_t>(offset),
                                .length = piece->data_len,
                                .more = next != nullptr};
        offset += fragment.length;
        piece->next = nullptr;
        piece->nb_segs = 1;
        piece->data_off = static_cast<uint16_t>(piece->data_off - front);
        piece->data_len = static_cast<uint16_t>(piece->data_len + front);
        piece->pkt_len = piece->data_len;
        auto* room = rte_pktmbuf_mtod(piece, uint8_t*);
        if constexpr (kIsUsual) {
            std::memcpy(room, frame, kUsualFront);
            header.write(room + link, fragment);
        } else {
            std::memcpy(room, frame, link);
            write_fragment_header(room + link, frame + link, packet.family, shape, fragment);
        }
        out[count] = piece;
        piece = next;
    }
    return count;
}

}  // namespace

uint32_t cut_datagram(rte_mbuf* datagram, const Packet& packet, rte_mbuf** out) noexcept {
    const FragmentShape shape = datagram_shape(datagram);
    const uint32_t headers = fragment_header_bytes(packet.l3(), packet.family, shape);
    if (is_as_it_came(datagram, packet, shape, headers))
        return has_usual_headers(packet, headers)
                   ? split<true>(datagram, packet, shape, headers, out)
                   : split<false>(datagram, packet, shape, headers, out);
    const uint32_t kept = kept_header_bytes(packet, shape, headers);
    const uint32_t total = packet.ip_length - kept;
    const uint32_t step = std::max<uint32_t>((shape.largest - headers) & ~7u, 8);
    uint32_t count = 0;
    bool is_done = shape.largest > headers && (total + step - 1) / step <= kMaxOutputFragments;
    for (uint32_t offset = 0; is_done && offset < total; offset += step) {
        Fragment piece{};
        piece.offset = static_cast<uint16_t>(offset);
        piece.length = static_cast<uint16_t>(std::min(step, total - offset));
        piece.more = offset + piece.length < total;
        out[count] = make_fragment(datagram, packet, shape, piece);
        is_done = out[count] != nullptr;
        count += is_done;
    }
    if (is_done) {
        rte_pktmbuf_free(datagram);
        return count;
    }
    rte_pktmbuf_free_bulk(out, count);
    return 0;
}

}  // namespace rampart
