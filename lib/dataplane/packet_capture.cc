#include "dataplane/packet_capture.h"

#include <algorithm>
#include <cstring>

#include <rte_bpf.h>
#include <rte_mbuf.h>

#include "dataplane/context.h"
#include "dataplane/datagram_mark.h"

namespace rampart {
namespace {

bool is_on(const CaptureFilter& filter, InterfaceIndex interface) noexcept {
    if (filter.interfaces == UINT64_MAX) return true;
    return interface < kMaxInterfaces && (filter.interfaces >> interface & 1) != 0;
}

// Bytes of a frame that may lie in several segments, from `offset` on.
void copy_bytes(const rte_mbuf* mbuf, uint32_t offset, uint32_t count, std::byte* to) noexcept {
    const void* bytes = rte_pktmbuf_read(mbuf, offset, count, to);
    if (bytes != nullptr && bytes != to) std::memcpy(to, bytes, count);
}

}  // namespace

Result<std::unique_ptr<PacketCapture>> PacketCapture::create(const std::string& name,
                                                             int numa_node) {
    auto ring = RecordRing<CaptureCell>::create(name, kCells, numa_node);
    if (!ring) return tl::unexpected<Error>(ring.error());
    return std::unique_ptr<PacketCapture>(new PacketCapture(std::move(*ring)));
}

void PacketCapture::set_filter(unsigned place, const CaptureFilter* filter) noexcept {
    filters_[place].store(filter, std::memory_order_release);
    bool is_wanted = false;
    for (const auto& other : filters_)
        is_wanted |= other.load(std::memory_order_relaxed) != nullptr;
    is_wanted_.store(is_wanted, std::memory_order_release);
}

template <typename Wanted>
void PacketCapture::offer(const rte_mbuf* mbuf, CaptureHead& head, const WorkerContext& context,
                          Wanted wanted) noexcept {
    uint32_t snap_length = 0;
    for (unsigned place = 0; place < kMaxCaptures; ++place) {
        const CaptureFilter* filter = filters_[place].load(std::memory_order_acquire);
        if (filter == nullptr || !is_on(*filter, head.interface) || !wanted(*filter, place))
            continue;
        // It reads the frame, but asks for a plain pointer.
        if (filter->program != nullptr &&
            rte_bpf_exec(filter->program, const_cast<rte_mbuf*>(mbuf)) == 0)
            continue;
        head.filters = static_cast<uint8_t>(head.filters | 1u << place);
        snap_length = std::max(snap_length, filter->snap_length);
    }
    if (head.filters == 0) return;
    head.wall_ns = context.now.wall_ns;
    head.worker = context.worker;
    head.length = mbuf->pkt_len;
    head.captured = std::min({mbuf->pkt_len, snap_length, kMaxCaptureLength});
    put(mbuf, head);
}

// All of it or nothing: only control makes room, so what there is stays.
void PacketCapture::put(const rte_mbuf* mbuf, CaptureHead& head) noexcept {
    if (ring_.room() < cells_of(head.captured)) {
        for (unsigned place = 0; place < kMaxCaptures; ++place)
            if (head.filters >> place & 1) lost_[place].add(1);
        return;
    }
    CaptureCell cell;
    std::memcpy(cell.bytes.data(), &head, sizeof(head));
    uint32_t used = sizeof(head);
    for (uint32_t offset = 0;; used = 0) {
        const uint32_t count = std::min(head.captured - offset, CaptureCell::kBytes - used);
        copy_bytes(mbuf, offset, count, cell.bytes.data() + used);
        ring_.put(cell);
        offset += count;
        if (offset == head.captured) return;
    }
}

void PacketCapture::note_received(const Burst& burst, const WorkerContext& context) noexcept {
    raw_matched_ = {};
    if (burst.is_handed) return;  // the worker that received them has noted them
    for (uint32_t i = 0; i < burst.count; ++i) {
        if (burst.from_kernel & bit(i)) continue;
        CaptureHead head{.interface = burst.packet[i].in_port, .point = CapturePoint::Received};
        offer(burst.mbuf[i], head, context,
              [](const CaptureFilter& filter, unsigned) { return !filter.wants_ends(); });
    }
}

bool PacketCapture::has_rule(const CaptureFilter& filter, PathId path,
                             const WorkerContext& context) const noexcept {
    if (path == kNoPath) return false;
    for (const CaptureFilter::Rules& rules : filter.rules) {
        if (rules.snapshot != context.snapshot) continue;
        for (PathId at = path; at != kRootPath; at = context.paths->node(at).parent.load()) {
            const RuleIndex rule = context.paths->node(at).rule.load();
            for (uint32_t i = 0; i < rules.count; ++i)
                if (rules.rule[i] == rule) return true;
        }
        return false;
    }
    return false;
}

void PacketCapture::note_raw(const Burst& burst, const WorkerContext& context) noexcept {
    for (unsigned place = 0; place < kMaxCaptures; ++place) {
        const CaptureFilter* filter = filters_[place].load(std::memory_order_acquire);
        if (filter == nullptr || !filter->by_rule) continue;
        for (uint32_t i = 0; i < burst.count; ++i)
            if (has_rule(*filter, burst.path[i], context)) raw_matched_[place] |= bit(i);
    }
}

void PacketCapture::note_end(Burst& burst, uint32_t i, const WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    CaptureHead head{.generation = context.snapshot->generation};
    if (const PathId path = burst.path[i]; path != kNoPath && path != kRootPath)
        head.rule = context.paths->node(path).rule.load();
    switch (burst.verdict[i]) {
        case Verdict::Forward:
            head.point = CapturePoint::Sent;
            head.interface = packet.out_port;
            break;
        case Verdict::Deliver:
            head.point = CapturePoint::Local;
            head.interface = packet.in_port;
            break;
        case Verdict::Drop:
        case Verdict::Pending:
            head.point = CapturePoint::Dropped;
            head.reason = burst.reason[i];
            head.interface = packet.in_port;
            if (burst.begun & bit(i)) restore_hop_limit(burst.packet[i]);
            break;
        case Verdict::Consumed:
        case Verdict::Held:
            return;
    }
    offer(burst.mbuf[i], head, context, [&](const CaptureFilter& filter, unsigned place) {
        if (filter.drops_only && (head.point != CapturePoint::Dropped ||
                                  (filter.has_reason && filter.reason != head.reason)))
            return false;
        if (filter.by_rule)
            return (raw_matched_[place] & bit(i)) != 0 || has_rule(filter, burst.path[i], context);
        // The fragments of a datagram come later.
        return filter.drops_only ||
               (head.point == CapturePoint::Sent && !is_datagram(burst.mbuf[i]));
    });
}

void PacketCapture::note_decided(Burst& burst, const WorkerContext& context) noexcept {
    for (uint32_t i = 0; i < burst.count; ++i)
        note_end(burst, i, context);
    for (uint32_t i = 0; i < context.replies.count; ++i) {
        const Replies::Reply& reply = context.replies.items[i];
        if (!reply.is_for_kernel)
            note_late(reply.mbuf, CapturePoint::Sent, reply.port, DropReason{}, context);
    }
}

void PacketCapture::note_late(const rte_mbuf* mbuf, CapturePoint point, InterfaceIndex interface,
                              DropReason reason, const WorkerContext& context) noexcept {
    CaptureHead head{.interface = interface, .point = point, .reason = reason};
    offer(mbuf, head, context, [&](const CaptureFilter& filter, unsigned) {
        if (filter.by_rule) return false;
        if (!filter.drops_only) return point == CapturePoint::Sent;
        return point == CapturePoint::Dropped && (!filter.has_reason || filter.reason == reason);
    });
}

}  // namespace rampart
