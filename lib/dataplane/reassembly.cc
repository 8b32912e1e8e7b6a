#include "dataplane/reassembly.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <rte_mbuf.h>

#include "conntrack/key_match.h"
#include "dataplane/datagram_mark.h"

namespace rampart {
namespace {

constexpr uint32_t kExpiriesPerCall = 4;
constexpr uint32_t kCompareBytes = 256;

// Leaves the first `length` bytes of the packet.
void trim_to(rte_mbuf* head, uint32_t length) noexcept {
    if (head->pkt_len == length) return;
    uint32_t left = length;
    rte_mbuf* segment = head;
    uint16_t segments = 1;
    while (segment->data_len < left && segment->next != nullptr) {
        left -= segment->data_len;
        segment = segment->next;
        ++segments;
    }
    segment->data_len = static_cast<uint16_t>(std::min<uint32_t>(segment->data_len, left));
    if (segment->next != nullptr) rte_pktmbuf_free(segment->next);
    segment->next = nullptr;
    head->nb_segs = segments;
    head->pkt_len = length;
}

// Compares `length` bytes of two packets.
bool has_same_bytes(const rte_mbuf* a, uint32_t at_a, const rte_mbuf* b, uint32_t at_b,
                    uint32_t length) noexcept {
    uint8_t copy_a[kCompareBytes], copy_b[kCompareBytes];
    while (length != 0) {
        const uint32_t size = std::min(length, kCompareBytes);
        const void* bytes_a = rte_pktmbuf_read(a, at_a, size, copy_a);
        const void* bytes_b = rte_pktmbuf_read(b, at_b, size, copy_b);
        if (bytes_a == nullptr || bytes_b == nullptr || std::memcmp(bytes_a, bytes_b, size) != 0)
            return false;
        at_a += size;
        at_b += size;
        length -= size;
    }
    return true;
}

}  // namespace

Reassembly::Reassembly(const Options& options)
    : options_(options),
      datagrams_(std::min<uint32_t>(options.datagrams, kNone)),
      buckets_(std::bit_ceil(datagrams_.size() * 2), kNone) {
    for (size_t i = datagrams_.size(); i-- > 0;) {
        datagrams_[i].next = free_;
        free_ = static_cast<Index>(i);
    }
}

Reassembly::~Reassembly() {
    for (Ages& list : ages_)
        while (list.oldest != kNone)
            discard(list.oldest);
}

void Reassembly::set_key6(Packet& packet, uint32_t id) noexcept {
    const uint8_t* ip = packet.l3();
    FlowKey6& key = packet.key6 = FlowKey6{};
    std::memcpy(key.low_address.data(), ip + 8, 16);
    std::memcpy(key.high_address.data(), ip + 24, 16);
    key.low_port = be16::from_host(static_cast<uint16_t>(id >> 16));
    key.high_port = be16::from_host(static_cast<uint16_t>(id));
    key.zone = packet.vlan_tci & 0x0fff;
    key.pad[0] = packet.in_port;
}

void Reassembly::hash(KeyBatch& batch, Family family) const noexcept {
    if (family == Family::Ipv4)
        options_.hash.hash4(batch.key.data(), batch.hash.data(), batch.count);
    else
        options_.hash.hash6(batch.key.data(), batch.hash.data(), batch.count);
}

bool Reassembly::is_of(const Datagram& datagram, const Packet& packet) noexcept {
    if (datagram.family != packet.family) return false;
    return packet.family == Family::Ipv4
               ? is_equal(reinterpret_cast<const FlowKey4&>(datagram.key), packet.key4)
               : std::memcmp(&datagram.key, &packet.key6, sizeof(FlowKey6)) == 0;
}

Reassembly::Index Reassembly::find(const Packet& packet, uint32_t bucket) const noexcept {
    Index at = buckets_[bucket];
    while (at != kNone && !is_of(datagrams_[at], packet))
        at = datagrams_[at].next;
    return at;
}

Reassembly::Index Reassembly::begin(const Packet& packet, uint32_t bucket, Tick deadline) noexcept {
    const Index index = free_;
    Datagram& datagram = datagrams_[index];
    free_ = datagram.next;
    if (packet.family == Family::Ipv4)
        std::memcpy(static_cast<void*>(&datagram.key), &packet.key4, sizeof(FlowKey4));
    else
        datagram.key = packet.key6;
    datagram.deadline = deadline;
    datagram.bucket = bucket;
    datagram.next = buckets_[bucket];
    buckets_[bucket] = index;
    datagram.count = datagram.largest = datagram.largest_unfragmentable = 0;
    datagram.headers = datagram.mbufs = 0;
    datagram.congestion = 0;
    datagram.has_last = false;
    datagram.family = packet.family;
    datagram.end = datagram.bytes = 0;
    Ages& list = ages(packet.family);
    datagram.newer = kNone;
    datagram.older = list.newest;
    (list.newest == kNone ? list.oldest : datagrams_[list.newest].newer) = index;
    list.newest = index;
    return index;
}

void Reassembly::unlink(Index index) noexcept {
    Datagram& datagram = datagrams_[index];
    Index* at = &buckets_[datagram.bucket];
    while (*at != index)
        at = &datagrams_[*at].next;
    *at = datagram.next;
    Ages& list = ages(datagram.family);
    (datagram.older == kNone ? list.oldest : datagrams_[datagram.older].newer) = datagram.newer;
    (datagram.newer == kNone ? list.newest : datagrams_[datagram.newer].older) = datagram.older;
    datagram.next = free_;
    free_ = index;
    held_.store(held_.load() - datagram.count);
    held_mbufs_ -= datagram.mbufs;
}

uint32_t Reassembly::discard(Index index) noexcept {
    const Datagram& datagram = datagrams_[index];
    for (uint32_t i = 0; i < datagram.count; ++i)
        rte_pktmbuf_free(datagram.pieces[i].mbuf);
    const uint32_t freed = datagram.count;
    unlink(index);
    return freed;
}

// The datagram nearest to its end gives way.
void Reassembly::make_room(Outcome& outcome) noexcept {
    while (free_ == kNone || held_mbufs_ >= options_.fragments) {
        const Index four = ages_[0].oldest, six = ages_[1].oldest;
        const bool is_six = four == kNone || (six != kNone && is_past(datagrams_[six].deadline,
                                                                      datagrams_[four].deadline));
        const Index oldest = is_six ? six : four;
        if (oldest == kNone) return;
        outcome.evicted += discard(oldest);
    }
}

Reassembly::Index Reassembly::find_or_begin(const Packet& packet, uint32_t hash, Tick now,
                                            Tick timeout, Outcome& outcome) noexcept {
    const uint32_t bucket = hash & static_cast<uint32_t>(buckets_.size() - 1);
    Index index = find(packet, bucket);
    if (index != kNone && is_past(datagrams_[index].deadline, now)) {
        outcome.expired += discard(index);
        index = kNone;
    }
    if (held_mbufs_ >= options_.fragments || (index == kNone && free_ == kNone)) {
        make_room(outcome);
        index = find(packet, bucket);  // its own datagram may have been the oldest
    }
    return index != kNone ? index : begin(packet, bucket, now + timeout);
}

Reassembly::Insertion Reassembly::insert(Datagram& datagram, Piece piece) noexcept {
    Piece* first = datagram.pieces;
    Piece* last = first + datagram.count;
    Piece* at = last;  // most come in order
    if (first != last && last[-1].end() > piece.offset)
        at = std::find_if(first, last, [&](const Piece& p) { return p.end() > piece.offset; });
    if (at == last || at->offset >= piece.end()) {
        std::move_backward(at, last, last + 1);
        // Field by field: copied as a whole it would wait for its own narrow stores.
        at->mbuf = piece.mbuf;
        at->skip = piece.skip;
        at->offset = piece.offset;
        at->length = piece.length;
        return Insertion::Done;
    }
    // It touches pieces that are there: all its bytes must be known already, and be the same.
    for (uint32_t place = piece.offset; place < piece.end(); ++at) {
        if (at == last || at->offset > place) return Insertion::Overlap;
        const uint32_t size = std::min(at->end(), piece.end()) - place;
        if (!has_same_bytes(at->mbuf, at->skip + place - at->offset, piece.mbuf,
                            piece.skip + place - piece.offset, size))
            return Insertion::Overlap;
        place += size;
    }
    return Insertion::Duplicate;
}

// Whether the fragment fits what is known of the datagram's length.
bool Reassembly::is_plausible(const Datagram& datagram, const Fragment& fragment) noexcept {
    if (datagram.has_last && fragment.end() > datagram.end) return false;
    if (fragment.more) return true;
    return fragment.end() >= datagram.end && !(datagram.has_last && fragment.end() != datagram.end);
}

void Reassembly::note(Datagram& datagram, const Fragment& fragment, const Packet& packet) noexcept {
    ++datagram.count;
    held_.add(1);
    datagram.has_last |= !fragment.more;
    datagram.end = std::max(datagram.end, fragment.end());
    datagram.bytes += fragment.length;
    datagram.largest = std::max(datagram.largest, packet.ip_length);
    if (fragment.dont_fragment)
        datagram.largest_unfragmentable =
            std::max(datagram.largest_unfragmentable, packet.ip_length);
    if (fragment.offset != 0) return;
    Piece& first = datagram.pieces[0];
    datagram.l3_offset = packet.l3_offset;
    datagram.shape = {.id = fragment.id};
    if (packet.family == Family::Ipv6) {
        datagram.shape.unfragmentable = remove_fragment_header(packet);
        rte_pktmbuf_adj(first.mbuf, kFragmentHeaderBytes);
        first.skip = static_cast<uint16_t>(first.skip - kFragmentHeaderBytes);
    }
    datagram.headers = static_cast<uint16_t>(first.skip - packet.l3_offset);
}

// The mbufs of all pieces in one chain, with the headers of the first in front.
rte_mbuf* Reassembly::assemble(Datagram& datagram) noexcept {
    rte_mbuf* head = datagram.pieces[0].mbuf;
    rte_mbuf* last = nullptr;
    for (uint32_t i = 0; i < datagram.count; ++i) {
        const Piece& piece = datagram.pieces[i];
        trim_to(piece.mbuf, piece.skip + uint32_t{piece.length});
        if (i != 0) {
            rte_pktmbuf_adj(piece.mbuf, piece.skip);
            last->next = piece.mbuf;
            head->nb_segs = static_cast<uint16_t>(head->nb_segs + piece.mbuf->nb_segs);
            head->pkt_len += piece.mbuf->pkt_len;
            piece.mbuf->pkt_len = piece.mbuf->data_len;
        }
        last = rte_pktmbuf_lastseg(piece.mbuf);
    }
    // What the NIC said about the fragment says nothing about the datagram.
    head->ol_flags &= ~(RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_IP_CKSUM_MASK);
    write_datagram_header(rte_pktmbuf_mtod_offset(head, uint8_t*, datagram.l3_offset),
                          datagram.family, datagram.headers + datagram.end,
                          static_cast<uint8_t>(join_congestion(datagram.congestion)));
    datagram.shape.largest = datagram.largest;
    datagram.shape.pieces = static_cast<uint8_t>(datagram.count);
    datagram.shape.dont_fragment = datagram.largest_unfragmentable == datagram.largest;
    mark_datagram(head, datagram.shape);
    return head;
}

Reassembly::Outcome Reassembly::take_whole(rte_mbuf* mbuf, const Packet& packet) noexcept {
    remove_fragment_header(packet);
    rte_pktmbuf_adj(mbuf, kFragmentHeaderBytes);
    mbuf->ol_flags &= ~(RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_IP_CKSUM_MASK);
    write_datagram_header(rte_pktmbuf_mtod_offset(mbuf, uint8_t*, packet.l3_offset), packet.family,
                          packet.ip_length - uint32_t{kFragmentHeaderBytes}, 0);
    return {.kind = Outcome::Kind::Complete, .datagram = mbuf, .pieces = 1};
}

Reassembly::Outcome Reassembly::add(rte_mbuf* mbuf, const Packet& packet, const Fragment& fragment,
                                    uint32_t hash, Tick now, Tick timeout) noexcept {
    using Kind = Outcome::Kind;
    if (fragment.is_whole()) return take_whole(mbuf, packet);
    if (fragment.length == 0 || (fragment.more && fragment.length % 8 != 0))
        return {.kind = Kind::Drop, .reason = DropReason::FragmentLength};

    Outcome outcome{.kind = Kind::Held};
    const Index index = find_or_begin(packet, hash, now, timeout, outcome);
    Datagram& datagram = datagrams_[index];
    const auto kill = [&](DropReason reason) {
        outcome.kind = Kind::Drop;
        outcome.reason = reason;
        outcome.lost += discard(index);
        return outcome;
    };
    const uint32_t headers = packet.ip_length - uint32_t{fragment.length};
    if (std::max<uint32_t>(headers, datagram.headers) + std::max(fragment.end(), datagram.end) >
        kMaxDatagramBytes)
        return kill(DropReason::FragmentLength);
    if (!is_plausible(datagram, fragment)) return kill(DropReason::FragmentOverlap);
    if (datagram.count == kMaxPieces) return kill(DropReason::FragmentCount);
    datagram.congestion |= static_cast<uint8_t>(1 << fragment.congestion);
    if (join_congestion(datagram.congestion) < 0) return kill(DropReason::FragmentEcn);
    switch (insert(datagram, {mbuf, packet.l4_offset, fragment.offset, fragment.length})) {
        case Insertion::Overlap:
            return kill(DropReason::FragmentOverlap);
        case Insertion::Duplicate:
            outcome.kind = Kind::Drop;
            outcome.reason = DropReason::FragmentDuplicate;
            return outcome;
        case Insertion::Done:
            break;
    }
    datagram.mbufs = static_cast<uint16_t>(datagram.mbufs + mbuf->nb_segs);
    held_mbufs_ += mbuf->nb_segs;
    note(datagram, fragment, packet);
    if (!datagram.has_last || datagram.bytes != datagram.end) return outcome;
    outcome.kind = Kind::Complete;
    outcome.pieces = datagram.count;
    outcome.datagram = assemble(datagram);
    unlink(index);
    return outcome;
}

uint32_t Reassembly::expire(Tick now) noexcept {
    uint32_t freed = 0;
    for (Ages& list : ages_) {
        for (uint32_t i = 0; i < kExpiriesPerCall && list.oldest != kNone; ++i) {
            if (!is_past(datagrams_[list.oldest].deadline, now)) break;
            freed += discard(list.oldest);
        }
    }
    return freed;
}

}  // namespace rampart
