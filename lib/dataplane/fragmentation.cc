#include "dataplane/fragmentation.h"

#include <algorithm>
#include <cstring>

#include <rte_mbuf.h>

#include "dataplane/datagram_mark.h"
#include "packet/fragment.h"

namespace rampart {
namespace {

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

}  // namespace

uint32_t cut_datagram(rte_mbuf* datagram, const Packet& packet, rte_mbuf** out) noexcept {
    const FragmentShape shape = datagram_shape(datagram);
    const uint32_t headers = fragment_header_bytes(packet.l3(), packet.family, shape);
    const uint32_t kept = packet.family == Family::Ipv4 ? headers : shape.unfragmentable;
    const uint32_t total = packet.ip_length - kept;
    const uint32_t step = std::max<uint32_t>((shape.largest - headers) & ~7u, 8);
    uint32_t count = 0;
    bool is_done = shape.largest > headers && (total + step - 1) / step <= kMaxOutputFragments;
    for (uint32_t offset = 0; is_done && offset < total; offset += step) {
        Fragment piece;
        piece.offset = static_cast<uint16_t>(offset);
        piece.length = static_cast<uint16_t>(std::min(step, total - offset));
        piece.more = offset + piece.length < total;
        out[count] = make_fragment(datagram, packet, shape, piece);
        is_done = out[count] != nullptr;
        count += is_done;
    }
    if (is_done) return count;
    rte_pktmbuf_free_bulk(out, count);
    return 0;
}

}  // namespace rampart
