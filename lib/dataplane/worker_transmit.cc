// Worker: what becomes of the packets of a burst that is decided.
#include <algorithm>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/datagram_mark.h"
#include "dataplane/fragmentation.h"
#include "dataplane/transmit_lock.h"
#include "dataplane/worker.h"

namespace rampart {

// Packets that leave by one port one after the other, some of them as fragments of a datagram.
struct Worker::OutBatch {
    static constexpr uint32_t kRoom = kBurstSize + kMaxOutputFragments;

    void add(rte_mbuf* packet, uint32_t length) noexcept {
        mbuf[count] = packet;
        bytes[count++] = length;
    }

    InterfaceIndex port = kNoInterface;
    uint32_t count = 0, datagrams = 0;
    rte_mbuf* mbuf[kRoom];
    uint32_t bytes[kRoom];
    struct {
        uint32_t first, count;
    } datagram[kBurstSize];
};

// The port that the whole burst leaves by as it is; kNoInterface: there is more to do.
InterfaceIndex Worker::common_way_out() const noexcept {
    const Burst& burst = *burst_;
    if (burst.arrived != 0) return kNoInterface;
    const InterfaceIndex way_out = burst.packet[0].out_port;
    unsigned others = 0;  // one branch for all of them
    for (uint32_t i = 0; i < burst.count; ++i)
        others |= unsigned{burst.verdict[i] != Verdict::Forward} |
                  unsigned{burst.packet[i].out_port != way_out} |
                  unsigned{is_datagram(burst.mbuf[i])};
    return others == 0 ? way_out : kNoInterface;
}

void Worker::finish() noexcept {
    Burst& burst = *burst_;
    if (const InterfaceIndex way_out = common_way_out(); way_out != kNoInterface) {
        forward(way_out, burst.mbuf.data(), burst.frame_length.data(), burst.count);
        if (context_.replies.count != 0) send_replies();
        return;
    }
    OutBatch batch;
    rte_mbuf* dropped[kBurstSize];
    uint32_t dropped_count = 0;
    for (uint32_t i = 0; i < burst.count; ++i) {
        switch (burst.verdict[i]) {
            case Verdict::Forward:
                make_room(batch, burst.packet[i].out_port);
                if (is_datagram(burst.mbuf[i])) [[unlikely]]
                    add_datagram(batch, i);
                else
                    batch.add(burst.mbuf[i], burst.frame_length[i]);
                break;
            case Verdict::Held:
                break;
            case Verdict::Deliver:
                deliver(burst.packet[i].in_port, burst.mbuf[i], counters_->local);
                break;
            case Verdict::Consumed:
                label(i);
                if (options_.hand_off->give(options_.index, burst.owner[i], burst.mbuf[i])) {
                    counters_->handed_out.add(1);
                    break;
                }
                burst.drop(i, DropReason::HandOffFull);
                note_lost(burst.mbuf[i], burst.packet[i].in_port, DropReason::HandOffFull);
                [[fallthrough]];
            case Verdict::Drop:
            case Verdict::Pending:
                count_dropped(burst.reason[i], 1);
                dropped[dropped_count++] = burst.mbuf[i];
                break;
        }
    }
    flush(batch);
    if (dropped_count != 0) rte_pktmbuf_free_bulk(dropped, dropped_count);
    if (context_.replies.count != 0) send_replies();
}

// As poll_hand_off() and the stage raw read it on the other side (hand_off.h).
void Worker::label(uint32_t i) noexcept {
    const Burst& burst = *burst_;
    const Packet& packet = burst.packet[i];
    const bool is_from_kernel = packet.in_port == kNoInterface;
    const InterfaceIndex own = is_from_kernel ? packet.out_port : packet.in_port;
    uint32_t port = options_.ports[own].port | (is_from_kernel ? kFromKernel : 0u);
    if (burst.raw_passed & bit(i)) {
        port |= kRawPassed | uint32_t{burst.wanted_helper[i]} << kHelperShift;
        burst.mbuf[i]->hash.usr = packet.mark;
    }
    burst.mbuf[i]->port = static_cast<uint16_t>(port);
}

void Worker::deliver(InterfaceIndex interface, rte_mbuf* mbuf, Counter& done) noexcept {
    const WorkerPort& port = options_.ports[interface];
    if (!port.has_twin || options_.hand_off == nullptr) {
        count_dropped(DropReason::NoTwin, 1);
        note_lost(mbuf, interface, DropReason::NoTwin);
        return rte_pktmbuf_free(mbuf);
    }
    mbuf->port = port.port;
    if (options_.hand_off->give(options_.index, options_.workers, mbuf)) return done.add(1);
    count_dropped(DropReason::KernelFull, 1);
    note_lost(mbuf, interface, DropReason::KernelFull);
    rte_pktmbuf_free(mbuf);
}

void Worker::forward(InterfaceIndex index, rte_mbuf** mbufs, const uint32_t* bytes,
                     uint32_t count) noexcept {
    const uint32_t sent = transmit(index, mbufs, bytes, count);
    counters_->forwarded.add(sent);
    if (sent != count) count_dropped(DropReason::TransmitFull, count - sent);
}

// Room for one more datagram that leaves by this port.
void Worker::make_room(OutBatch& batch, InterfaceIndex port) noexcept {
    if (port != batch.port || batch.count + kMaxOutputFragments > OutBatch::kRoom) {
        flush(batch);
        batch.port = port;
    }
}

// A datagram goes out in fragments, as it came, or not at all as far as the counters are concerned.
void Worker::add_datagram(OutBatch& batch, uint32_t i) noexcept {
    Burst& burst = *burst_;
    rte_mbuf** fragments = batch.mbuf + batch.count;
    const uint32_t count = cut_datagram(burst.mbuf[i], burst.packet[i], fragments);
    if (count == 0) {
        note_lost(burst.mbuf[i], burst.packet[i].in_port, DropReason::FragmentOutput);
        rte_pktmbuf_free(burst.mbuf[i]);
        return count_dropped(DropReason::FragmentOutput, 1);
    }
    if (context_.capture != nullptr)
        for (uint32_t at = 0; at < count; ++at)
            context_.capture->note_late(fragments[at], CapturePoint::Sent, batch.port, DropReason{},
                                        context_);
    batch.datagram[batch.datagrams++] = {batch.count, count};
    for (uint32_t at = 0; at < count; ++at)
        batch.add(fragments[at], fragments[at]->pkt_len);
}

void Worker::flush(OutBatch& batch) noexcept {
    if (batch.count == 0) return;
    const uint32_t sent = transmit(batch.port, batch.mbuf, batch.bytes, batch.count);
    uint32_t packets = batch.count, whole = sent, cut = 0;
    for (uint32_t n = 0; n < batch.datagrams; ++n) {
        const auto [first, count] = batch.datagram[n];
        const uint32_t sent_of_it = std::clamp(sent, first, first + count) - first;
        cut += sent_of_it;
        packets -= count - 1;
        whole -= sent_of_it;
        whole += sent_of_it == count;
    }
    counters_->cut.add(cut);
    counters_->forwarded.add(whole);
    if (whole != packets) count_dropped(DropReason::TransmitFull, packets - whole);
    batch.count = batch.datagrams = 0;
}

void Worker::forward_datagram(uint32_t i) noexcept {
    OutBatch batch;
    make_room(batch, burst_->packet[i].out_port);
    add_datagram(batch, i);
    flush(batch);
}

uint32_t Worker::transmit(InterfaceIndex index, rte_mbuf** mbufs, const uint32_t* bytes,
                          uint32_t count) noexcept {
    const WorkerPort& port = options_.ports[index];
    uint32_t sent = 0;
    {
        const TransmitGuard guard(port.lock);
        sent = rte_eth_tx_burst(port.port_id, port.transmit_queue, mbufs,
                                static_cast<uint16_t>(count));
        // A virtual port's ring may be full for a moment; one more try empties it or not at all.
        if (sent < count) [[unlikely]]
            sent += rte_eth_tx_burst(port.port_id, port.transmit_queue, mbufs + sent,
                                     static_cast<uint16_t>(count - sent));
    }
    uint64_t sent_bytes = 0;
    for (uint32_t i = 0; i < sent; ++i)
        sent_bytes += bytes[i];
    PortCounters& counters = counters_->port[index];
    counters.transmitted_packets.add(sent);
    counters.transmitted_bytes.add(sent_bytes);
    for (uint32_t i = sent; i < count; ++i)
        note_lost(mbufs[i], index, DropReason::TransmitFull);
    if (sent != count) {
        counters.transmit_dropped.add(count - sent);
        rte_pktmbuf_free_bulk(mbufs + sent, count - sent);
    }
    return sent;
}

// A packet that ends after its burst was decided, for captures.
void Worker::note_lost(const rte_mbuf* mbuf, InterfaceIndex interface, DropReason reason) noexcept {
    if (context_.capture != nullptr)
        context_.capture->note_late(mbuf, CapturePoint::Dropped, interface, reason, context_);
}

void Worker::send_replies() noexcept {
    Replies& replies = context_.replies;
    for (uint32_t i = 0; i < replies.count; ++i) {
        if (replies.items[i].is_for_kernel) {
            deliver(replies.items[i].port, replies.items[i].mbuf, counters_->generated);
            continue;
        }
        const uint32_t bytes = replies.items[i].mbuf->pkt_len;
        counters_->generated.add(
            transmit(replies.items[i].port, &replies.items[i].mbuf, &bytes, 1));
    }
    replies.count = 0;
}

}  // namespace rampart
