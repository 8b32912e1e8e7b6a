// Reassembly: datagrams whose fragments come in order, one after the other.
#include <algorithm>

#include <rte_mbuf.h>

#include "conntrack/key_match.h"
#include "dataplane/datagram_mark.h"
#include "dataplane/reassembly.h"

namespace rampart {
namespace {

constexpr uint32_t kIpv4Bytes = 20;

bool is_usual(const Reassembly::Arrival& arrival) noexcept {
    const Packet& packet = *arrival.packet;
    return packet.family == Family::Ipv4 && packet.l4_offset == packet.l3_offset + kIpv4Bytes &&
           arrival.fragment.length != 0 && arrival.mbuf->nb_segs == 1;
}

// Leaves the piece in the mbuf, behind its first `front` bytes.
void trim(rte_mbuf* mbuf, const Reassembly::Arrival& arrival, uint32_t front) noexcept {
    const uint32_t dropped = arrival.packet->l4_offset - front;
    mbuf->data_off = static_cast<uint16_t>(mbuf->data_off + dropped);
    mbuf->data_len = static_cast<uint16_t>(front + arrival.fragment.length);
    mbuf->pkt_len = mbuf->data_len;
}

}  // namespace

uint32_t Reassembly::count_run(std::span<const Arrival> arrivals) noexcept {
    const Arrival& first = arrivals.front();
    if (first.fragment.offset != 0 || !first.fragment.more || !is_usual(first)) return 0;
    uint32_t end = 0, count = 0;
    for (const Arrival& arrival : arrivals) {
        const Fragment& fragment = arrival.fragment;
        if (fragment.offset != end || !is_usual(arrival) || count == kMaxPieces ||
            !is_equal(first.packet->key4, arrival.packet->key4))
            return 0;
        end = fragment.end();
        ++count;
        if (!fragment.more) return kIpv4Bytes + end <= kMaxDatagramBytes ? count : 0;
        if (fragment.length % 8 != 0) return 0;
    }
    return 0;
}

rte_mbuf* Reassembly::join(std::span<const Arrival> run, uint32_t hash,
                           Tick timeout) const noexcept {
    const Packet& packet = *run.front().packet;
    const uint32_t bucket = hash & static_cast<uint32_t>(buckets_.size() - 1);
    // Where add() would have made room, or found another part of the datagram.
    if (free_ == kNone || held_mbufs_ + run.size() > options_.fragments || timeout == 0 ||
        (buckets_[bucket] != kNone && find(packet, bucket) != kNone))
        return nullptr;
    FragmentShape shape{.id = run.front().fragment.id, .pieces = static_cast<uint8_t>(run.size())};
    unsigned congestion = 0;
    uint16_t largest_unfragmentable = 0;
    for (const Arrival& arrival : run) {
        const uint16_t length = arrival.packet->ip_length;
        congestion |= 1u << arrival.fragment.congestion;
        shape.largest = std::max(shape.largest, length);
        if (arrival.fragment.dont_fragment)
            largest_unfragmentable = std::max(largest_unfragmentable, length);
    }
    const int joined_congestion = join_congestion(static_cast<uint8_t>(congestion));
    if (joined_congestion < 0) return nullptr;
    shape.dont_fragment = largest_unfragmentable == shape.largest;

    rte_mbuf* head = run.front().mbuf;
    trim(head, run.front(), packet.l4_offset);
    rte_mbuf* last = head;
    for (const Arrival& arrival : run.subspan(1)) {
        trim(arrival.mbuf, arrival, 0);
        last->next = arrival.mbuf;
        last = arrival.mbuf;
    }
    const uint32_t end = run.back().fragment.end();
    head->nb_segs = static_cast<uint16_t>(run.size());
    head->pkt_len = packet.l4_offset + end;
    // What the NIC said about the fragment says nothing about the datagram.
    head->ol_flags &= ~(RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_IP_CKSUM_MASK);
    write_datagram_header(packet.frame + packet.l3_offset, Family::Ipv4, kIpv4Bytes + end,
                          static_cast<uint8_t>(joined_congestion));
    mark_datagram(head, shape);
    return head;
}

}  // namespace rampart
