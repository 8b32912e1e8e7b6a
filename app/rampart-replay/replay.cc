#include "replay.h"

#include <algorithm>

#include <rte_mbuf.h>

#include "base/assert.h"
#include "control/eal_arguments.h"
#include "dataplane/datagram_mark.h"
#include "dataplane/fragmentation.h"
#include "dataplane/pipeline.h"

namespace rampart {
namespace {

constexpr uint32_t kPaths = 1 << 18;  // so many that every decision can be told
constexpr uint64_t kFirstPacket_ns = 1'000'000'000;
constexpr uint64_t kHashSeed = 1;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kBaseBytes = 64 * kMiB;  // EAL's own, and what its allocator loses
// libpcap's longest frame in segments, and one more for a reply.
constexpr uint32_t kMbufsPerPacket = 262144 / PacketPool::kDataBytes + 1;
constexpr uint32_t kSpareMbufs = 1024;  // the pool's cache
constexpr CtClass kNoClass = static_cast<CtClass>(0xff);
// A longer leap is made in several: ticks are compared by their signed difference.
constexpr uint64_t kMaxLeap_ns = uint64_t{kMaxTimeout_s} * 1'000'000'000;

uint32_t mbufs_for(uint32_t burst_size) {
    return burst_size * kMbufsPerPacket + Reassembly::Options{}.fragments + kSpareMbufs;
}

std::vector<uint8_t> bytes_of(const rte_mbuf* mbuf) {
    std::vector<uint8_t> bytes;
    bytes.reserve(mbuf->pkt_len);
    for (; mbuf != nullptr; mbuf = mbuf->next) {
        const uint8_t* data = rte_pktmbuf_mtod(mbuf, const uint8_t*);
        bytes.insert(bytes.end(), data, data + mbuf->data_len);
    }
    return bytes;
}

std::vector<std::vector<uint8_t>> frames_of(rte_mbuf* mbuf, const Packet& packet) {
    if (!is_datagram(mbuf)) return {bytes_of(mbuf)};
    rte_mbuf* fragments[kMaxOutputFragments];
    const uint32_t count = cut_datagram(mbuf, packet, fragments);
    std::vector<std::vector<uint8_t>> frames;
    for (uint32_t i = 0; i < count; ++i)
        frames.push_back(bytes_of(fragments[i]));
    rte_pktmbuf_free_bulk(fragments, count);
    return frames;
}

}  // namespace

std::vector<std::string> Replay::eal_arguments(uint32_t max_flows, const Options& options) {
    const uint64_t used = FlowTable::bytes_for({.capacity = max_flows}) +
                          PacketPool::bytes_for(mbufs_for(options.burst_size));
    const uint64_t wanted_mib = (used + used / 8 + kBaseBytes) / kMiB;
    std::string lcores = "--lcores=0@(";
    for (const unsigned cpu : read_machine_facts().cpus)
        lcores += std::to_string(cpu) + ",";
    lcores.back() = ')';
    return {
        "--no-huge",         "--no-pci", "--no-shconf", "--no-telemetry",          "--iova-mode=va",
        "--log-level=error", lcores,     "-m",          std::to_string(wanted_mib)};
}

Result<std::unique_ptr<Replay>> Replay::create(std::unique_ptr<Snapshot> snapshot,
                                               const Options& options) {
    auto pool = PacketPool::create("replay-packets", mbufs_for(options.burst_size), -1);
    if (!pool) return tl::unexpected<Error>(pool.error());
    if (const auto marked = register_datagram_mark(); !marked)
        return tl::unexpected<Error>(marked.error());
    auto table = FlowTable::create({.name = "replay-flows",
                                    .capacity = snapshot->conntrack.max,
                                    .numa_node = -1,
                                    .hash = KeyedHash::from_seed(kHashSeed)});
    if (!table) return failure(table.error().message, "lower conntrack.max");
    return std::unique_ptr<Replay>(
        new Replay(std::move(snapshot), std::move(*table), std::move(*pool), options));
}

Replay::Replay(std::unique_ptr<Snapshot> snapshot, std::unique_ptr<FlowTable> table,
               std::unique_ptr<PacketPool> pool, const Options& options)
    : snapshot_(std::move(snapshot)),
      table_(std::move(table)),
      pool_(std::move(pool)),
      reassembly_(new Reassembly({})),
      counters_(new WorkerCounters),
      burst_(new Burst),
      context_(*table_, *reassembly_, *counters_, steering_, 0) {
    snapshot_->generation = 1;
    snapshot_->paths.clear();
    snapshot_->paths.push_back(std::make_unique<PathTable>(snapshot_->ruleset.index_count, kPaths));
    context_.snapshot = snapshot_.get();
    context_.paths = snapshot_->paths[0].get();
    context_.now = Now::at(kFirstPacket_ns);
    if (options.finds_deciders) finder_.emplace(snapshot_->ruleset);
}

Result<std::vector<Outcome>> Replay::run(std::span<const Arrival> arrivals) {
    RAMPART_ASSERT(arrivals.size() <= kBurstSize);
    Burst& burst = *burst_;
    burst.count = 0;
    burst.ct_class.fill(kNoClass);
    for (const Arrival& arrival : arrivals) {
        advance_to(arrival.time_ns);
        rte_mbuf* mbuf = make_mbuf(arrival.frame);
        if (mbuf == nullptr) {
            for (uint32_t i = 0; i < burst.count; ++i)
                rte_pktmbuf_free(burst.mbuf[i]);
            return failure("out of packet buffers");
        }
        burst.mbuf[burst.count] = mbuf;
        burst.packet[burst.count].in_port = arrival.port;
        burst.packet[burst.count++].out_port = kNoInterface;
    }
    process(burst, context_);

    std::vector<Outcome> outcomes;
    for (uint32_t i = 0; i < burst.count; ++i)
        outcomes.push_back(outcome_of(i));
    for (uint32_t i = 0; i < burst.count; ++i)
        if (burst.verdict[i] != Verdict::Held) rte_pktmbuf_free(burst.mbuf[i]);
    take_replies(outcomes);
    return outcomes;
}

void Replay::advance_to(int64_t time_ns) {
    if (!first_ns_) first_ns_ = time_ns;
    const int64_t since_first = time_ns - *first_ns_;
    if (since_first < 0) return;
    const uint64_t target = kFirstPacket_ns + static_cast<uint64_t>(since_first);
    while (context_.now.ns < target) {
        context_.now = Now::at(std::min(target, context_.now.ns + kMaxLeap_ns));
        if (context_.now.ns - swept_ns_ >= kSweep_ns) sweep();
    }
}

void Replay::sweep() {
    swept_ns_ = context_.now.ns;
    for (FlowIndex index = 0; index < used_slots_; ++index) {
        const Tick at = table_->sweep_at(index);
        if (at != 0 && is_past(at, context_.now.tick))
            table_->expire_if_due(index, context_.now.tick);
    }
    table_->end_burst();
    while (reassembly_->expire(context_.now.tick) != 0) {
    }
}

// Null when the pool is empty.
rte_mbuf* Replay::make_mbuf(std::span<const uint8_t> frame) {
    rte_mbuf* head = rte_pktmbuf_alloc(pool_->get());
    if (head == nullptr) return nullptr;
    for (rte_mbuf* last = head;;) {
        const size_t size = std::min<size_t>(frame.size(), PacketPool::kDataBytes);
        std::copy_n(frame.begin(), size, rte_pktmbuf_mtod(last, uint8_t*));
        last->data_len = static_cast<uint16_t>(size);
        head->pkt_len += static_cast<uint32_t>(size);
        frame = frame.subspan(size);
        if (frame.empty()) return head;
        last->next = rte_pktmbuf_alloc(pool_->get());
        if (last->next == nullptr) {
            rte_pktmbuf_free(head);
            return nullptr;
        }
        last = last->next;
        ++head->nb_segs;
    }
}

Outcome Replay::outcome_of(uint32_t i) {
    const Burst& burst = *burst_;
    if (!burst.flow[i].is_none()) used_slots_ = std::max(used_slots_, burst.flow[i].index() + 1);
    Outcome outcome;
    outcome.verdict = burst.verdict[i];
    if (outcome.verdict == Verdict::Drop) outcome.reason = burst.reason[i];
    if (burst.ct_class[i] != kNoClass) {
        outcome.ct_class = burst.ct_class[i];
        if (burst.ct_class[i] == CtClass::Invalid) outcome.invalid = burst.packet[i].invalid;
        if (finder_) outcome.decider = finder_->find(burst, i, *context_.paths);
    }
    if (outcome.verdict == Verdict::Forward) {
        outcome.out_port = burst.packet[i].out_port;
        outcome.frames = frames_of(burst.mbuf[i], burst.packet[i]);
    }
    return outcome;
}

void Replay::take_replies(std::vector<Outcome>& outcomes) {
    for (uint32_t i = 0; i < context_.replies.count; ++i) {
        const Replies::Reply& reply = context_.replies.items[i];
        outcomes[reply.cause].reply = bytes_of(reply.mbuf);
        rte_pktmbuf_free(reply.mbuf);
    }
    context_.replies.count = 0;
}

std::vector<FlowEntry> Replay::flows() const {
    std::vector<FlowEntry> entries;
    FlowEntry entry;
    for (FlowIndex index = 0; index < used_slots_; ++index)
        if (read_flow(*table_, 0, index, context_.now.tick, entry)) entries.push_back(entry);
    return entries;
}

}  // namespace rampart
