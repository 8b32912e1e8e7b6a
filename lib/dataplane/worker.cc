#include "dataplane/worker.h"

#include <algorithm>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/chronicle.h"
#include "dataplane/datagram_mark.h"
#include "dataplane/fragmentation.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages.h"
#include "dataplane/transmit_lock.h"
#include "dpdk/tsc_clock.h"

namespace rampart {
namespace {

constexpr uint32_t kIdleLoopsBeforeSleep = 1024;
constexpr useconds_t kIdleSleep_us = 50;

}  // namespace

Worker::Worker(Options options)
    : options_(std::move(options)),
      counters_(new WorkerCounters),
      burst_(new Burst),
      context_(*options_.flows, *options_.reassembly, *counters_, *options_.steering,
               options_.index) {
    context_.journal = options_.journal.get();
    context_.rule_log = options_.rule_log.get();
    context_.trace = options_.trace.get();
    context_.sources = options_.sources;
    context_.routing = options_.routing;
    context_.nat = options_.nat.get();
    context_.unresolved = options_.unresolved.get();
    context_.helpers = options_.helpers.get();
    context_.notices = options_.notices;
    context_.all_helpers = options_.all_helpers;
}

Worker::~Worker() {
    if (options_.unresolved != nullptr)
        options_.unresolved->clear([](rte_mbuf* mbuf) { rte_pktmbuf_free(mbuf); });
}

void Worker::run() noexcept {
    const TscClock& clock = options_.clock;
    uint32_t idle_loops = 0;
    uint64_t then = TscClock::read_tsc();
    while (!stop_.load(std::memory_order_relaxed)) {
        context_.now = clock.at(then, wall_offset_ns_.load());
        context_.tells_flows = context_.journal != nullptr && context_.journal->wants_flows();
        context_.capture = options_.capture != nullptr && options_.capture->is_wanted()
                               ? options_.capture.get()
                               : nullptr;
        refresh_snapshot();
        uint32_t work = run_commands(context_.now);
        if (options_.notices != nullptr) settle_with_others();
        if (options_.reassembly->held() != 0) expire_fragments();
        if (options_.helpers != nullptr && options_.helpers->expectations().count() != 0 &&
            is_past(next_expiry_, context_.now.tick)) {
            options_.helpers->expectations().expire(context_.now.tick);
            next_expiry_ = context_.now.tick + kTicksPerSecond;
        }
        if (options_.unresolved != nullptr &&
            options_.unresolved->is_due(options_.routing->version(), context_.now.tick))
            release_resolved();
        for (size_t port = 0; port < options_.ports.size(); ++port)
            work += poll_port(static_cast<InterfaceIndex>(port));
        if (options_.hand_off != nullptr) work += poll_hand_off();
        const uint64_t now = TscClock::read_tsc();
        (work != 0 ? counters_->busy_cycles : counters_->idle_cycles).add(now - then);
        counters_->loops.add(1);
        turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
        then = now;
        idle_loops = work != 0 ? 0 : idle_loops + 1;
        if (options_.sleep_when_idle && idle_loops > kIdleLoopsBeforeSleep) {
            usleep(kIdleSleep_us);
            then = TscClock::read_tsc();
        }
    }
    // Nothing of a snapshot is used from here on.
    seen_generation_.store(UINT32_MAX, std::memory_order_release);
    turns_.store(UINT64_MAX, std::memory_order_release);
}

void Worker::refresh_snapshot() noexcept {
    const Snapshot* next = next_snapshot_.load(std::memory_order_acquire);
    if (next == context_.snapshot) return;
    context_.use(*next);
    seen_generation_.store(next->generation, std::memory_order_release);
}

uint32_t Worker::run_commands(Now now) noexcept {
    uint32_t count = 0;
    Command commands[kCommandsAtOnce];
    for (uint32_t erased = 0; count < kCommandsPerLoop && erased < kErasuresPerLoop;) {
        const uint32_t taken = options_.mailbox->take(commands, kCommandsAtOnce);
        if (taken == 0) break;
        prefetch_for({commands, taken}, now);
        for (uint32_t at = 0; at < taken; ++at)
            erased += run_command(commands[at], now);
        count += taken;
    }
    if (count != 0) {
        context_.now = now;
        end_burst(context_);
    }
    return count;
}

// Those that expire are spread over the whole table, each in a handful of lines.
void Worker::prefetch_for(std::span<const Command> commands, Now now) const noexcept {
    const FlowTable& flows = *options_.flows;
    for (const Command& command : commands)
        if (command.kind == Command::Kind::Expire) flows.prefetch_slot(command.index);
    for (const Command& command : commands)
        if (command.kind == Command::Kind::Expire)
            flows.prefetch_key_if_due(command.index, now.tick);
}

// Returns how many flows it erased.
uint32_t Worker::run_command(const Command& command, Now now) noexcept {
    FlowTable& flows = *options_.flows;
    uint32_t erased = 0;
    switch (command.kind) {
        case Command::Kind::Expire:
            erased = flows.expire_if_due(command.index, now.tick);
            counters_->expired.add(erased);
            return erased;
        case Command::Kind::Erase:
            erased = flows.erase_incarnation(command.index, command.serial);
            break;
        case Command::Kind::EraseRange:
            erased = flows.erase_range(command.index, std::min(command.serial, kEraseRangeSlots));
            break;
        case Command::Kind::EvictClosing:
            erased = flows.evict_closing(kEraseRangeSlots);
            counters_->early_drop.add(erased);
            return erased;
        case Command::Kind::Discount:
            flows.discount(command.index, command.serial, command.side & 1, command.packets,
                           command.bytes);
            break;
    }
    counters_->erased.add(erased);
    return erased;
}

uint32_t Worker::poll_port(InterfaceIndex index) noexcept {
    const WorkerPort& port = options_.ports[index];
    if (!port.receives) return 0;
    Burst& burst = *burst_;
    burst.count = rte_eth_rx_burst(port.port_id, port.receive_queue, burst.mbuf.data(), kBurstSize);
    if (burst.count == 0) return 0;
    uint64_t bytes = 0;
    burst.is_handed = false;
    burst.from_kernel = 0;
    for (uint32_t i = 0; i < burst.count; ++i) {
        burst.packet[i].in_port = index;
        bytes += burst.mbuf[i]->pkt_len;
    }
    PortCounters& counters = counters_->port[index];
    counters.received_packets.add(burst.count);
    counters.received_bytes.add(bytes);
    counters_->received.add(burst.count);
    // What answers a packet of another worker came after that worker's notice.
    if (options_.notices != nullptr) read_notices();
    process(burst, context_);
    finish();
    return burst.count;
}

uint32_t Worker::poll_hand_off() noexcept {
    uint32_t total = 0;
    Burst& burst = *burst_;
    for (uint16_t from = 0; from < options_.hand_off->workers(); ++from) {
        if (from == options_.index) continue;
        const bool is_kernel = from == options_.workers;
        burst.count = options_.hand_off->take(from, options_.index, burst.mbuf.data(), kBurstSize);
        if (burst.count == 0) continue;
        burst.is_handed = !is_kernel;
        burst.handed_by = from;
        burst.from_kernel = 0;
        for (uint32_t i = 0; i < burst.count; ++i) {
            burst.packet[i].in_port = static_cast<uint8_t>(burst.mbuf[i]->port);
            if (burst.mbuf[i]->port & kFromKernel) burst.from_kernel |= bit(i);
        }
        (is_kernel ? counters_->received : counters_->handed_in).add(burst.count);
        total += burst.count;
        // They may answer what has left since the notices were read last.
        if (options_.notices != nullptr) read_notices();
        process(burst, context_);
        finish();
    }
    return total;
}

void Worker::read_notices() noexcept {
    options_.notices->read(options_.index, [&](uint16_t from, const Notice& notice) {
        options_.flows->foreign().heed(notice.tuple, from, notice.kind == Notice::Kind::Add);
    });
}

// What other workers still have to be told, or had to tell.
void Worker::settle_with_others() noexcept {
    read_notices();
    FlowTable& flows = *options_.flows;
    if (flows.foreign().promises() != 0) flows.foreign().expire(context_.now.tick);
    if (flows.held() != 0) end_burst(context_);
}

void Worker::expire_fragments() noexcept {
    const uint32_t freed = options_.reassembly->expire(context_.now.tick);
    if (freed != 0) count_dropped(DropReason::FragmentTimeout, freed);
}

// The port that the whole burst leaves by as it is; kNoInterface: there is more to do.
InterfaceIndex Worker::common_way_out() const noexcept {
    const Burst& burst = *burst_;
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
    rte_mbuf* out[kBurstSize];
    uint32_t bytes[kBurstSize];
    rte_mbuf* dropped[kBurstSize];
    uint32_t out_count = 0, dropped_count = 0;
    InterfaceIndex out_port = kNoInterface;
    for (uint32_t i = 0; i < burst.count; ++i) {
        switch (burst.verdict[i]) {
            case Verdict::Forward:
                if (is_datagram(burst.mbuf[i])) [[unlikely]] {
                    forward_datagram(i);
                    break;
                }
                if (burst.packet[i].out_port != out_port && out_count != 0) {
                    forward(out_port, out, bytes, out_count);
                    out_count = 0;
                }
                out_port = burst.packet[i].out_port;
                bytes[out_count] = burst.frame_length[i];
                out[out_count++] = burst.mbuf[i];
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
    if (out_count != 0) forward(out_port, out, bytes, out_count);
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

// A datagram goes out in fragments, as it came, or not at all as far as the counters are concerned.
void Worker::forward_datagram(uint32_t i) noexcept {
    Burst& burst = *burst_;
    rte_mbuf* fragments[kMaxOutputFragments];
    uint32_t bytes[kMaxOutputFragments];
    const uint32_t count = cut_datagram(burst.mbuf[i], burst.packet[i], fragments);
    if (count == 0) note_lost(burst.mbuf[i], burst.packet[i].in_port, DropReason::FragmentOutput);
    rte_pktmbuf_free(burst.mbuf[i]);
    if (count == 0) return count_dropped(DropReason::FragmentOutput, 1);
    if (context_.capture != nullptr)
        for (uint32_t at = 0; at < count; ++at)
            context_.capture->note_late(fragments[at], CapturePoint::Sent, burst.packet[i].out_port,
                                        DropReason{}, context_);
    for (uint32_t at = 0; at < count; ++at)
        bytes[at] = fragments[at]->pkt_len;
    const uint32_t sent = transmit(burst.packet[i].out_port, fragments, bytes, count);
    counters_->cut.add(sent);
    if (sent == count)
        counters_->forwarded.add(1);
    else
        count_dropped(DropReason::TransmitFull, 1);
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
