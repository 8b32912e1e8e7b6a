#include "dataplane/worker.h"

#include <algorithm>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/chronicle.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages.h"
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
            flows.prefetch_end_if_due(command.index, now.tick);
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

}  // namespace rampart
