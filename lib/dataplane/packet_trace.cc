#include "dataplane/packet_trace.h"

#include <algorithm>

#include <rte_bpf.h>
#include <rte_mbuf.h>

#include "dataplane/context.h"
#include "dataplane/verdict_cache.h"
#include "packet/parser.h"

namespace rampart {
namespace {

void add_fact(TraceRecord& record, uint16_t fact, bool is_true = true) noexcept {
    if (is_true) record.facts = static_cast<uint16_t>(record.facts | fact);
}

// The rules on a path, first to last; false when there are more than fit: then the first ones.
bool copy_path(const PathTable& paths, PathId path, RuleIndex* rules, unsigned capacity,
               uint8_t& count) noexcept {
    unsigned length = 0;
    for (PathId at = path; at != kRootPath; at = paths.node(at).parent.load())
        ++length;
    unsigned place = length;
    for (PathId at = path; at != kRootPath; at = paths.node(at).parent.load())
        if (--place < capacity) rules[place] = paths.node(at).rule.load();
    count = static_cast<uint8_t>(std::min(length, capacity));
    return length <= capacity;
}

}  // namespace

Result<std::unique_ptr<PacketTrace>> PacketTrace::create(const std::string& name, int numa_node) {
    auto ring = RecordRing<TraceRecord>::create(name, kSlots, numa_node);
    if (!ring) return tl::unexpected<Error>(ring.error());
    return std::unique_ptr<PacketTrace>(new PacketTrace(std::move(*ring)));
}

void PacketTrace::set_filter(unsigned place, const TraceFilter* filter) noexcept {
    filters_[place].store(filter, std::memory_order_release);
    bool is_wanted = false;
    for (const auto& other : filters_)
        is_wanted |= other.load(std::memory_order_relaxed) != nullptr;
    is_wanted_.store(is_wanted, std::memory_order_release);
}

void PacketTrace::choose(const Burst& burst, const WorkerContext& context) noexcept {
    chosen_ = 0;
    drops_only_ = 0;
    std::array<uint8_t, kBurstSize> chosen_by{};
    for (unsigned place = 0; place < kMaxTraceFilters; ++place) {
        const TraceFilter* filter = filters_[place].load(std::memory_order_acquire);
        if (filter == nullptr) continue;
        const uint8_t filter_bit = static_cast<uint8_t>(1u << place);
        if (filter->drops_only) drops_only_ = static_cast<uint8_t>(drops_only_ | filter_bit);
        for (uint32_t i = 0; i < burst.count; ++i) {
            if (filter->in != kNoInterface && filter->in != burst.packet[i].in_port) continue;
            if (filter->program != nullptr && rte_bpf_exec(filter->program, burst.mbuf[i]) == 0)
                continue;
            chosen_by[i] = static_cast<uint8_t>(chosen_by[i] | filter_bit);
            chosen_ |= bit(i);
        }
    }
    for_each(chosen_, [&](uint32_t i) {
        TraceRecord& record = records_[i];
        record = TraceRecord{};
        raw_path_[i] = kNoPath;
        record.wall_ns = context.now.wall_ns;
        record.filters = chosen_by[i];
        record.worker = context.worker;
        record.in = burst.packet[i].in_port;
        record.frame_length = burst.mbuf[i]->pkt_len;
    });
}

void PacketTrace::note_parsed(TraceRecord& record, const Packet& packet) const noexcept {
    record.vlan_tci = packet.vlan_tci;
    add_fact(record, TraceRecord::kIsIp);
    record.tuple = tuple_of(packet);
    if (record.has(TraceRecord::kFragment) && !record.has(TraceRecord::kDatagram))
        record.tuple.src_port = record.tuple.dst_port = be16{};  // payload, but for the first one
    record.ip_length = packet.ip_length;
    record.hop_limit = packet.hop_limit;
    if (packet.protocol == ip_protocol::kTcp) record.tcp_flags = packet.tcp_flags;
}

void PacketTrace::note_tracked(TraceRecord& record, const Burst& burst, uint32_t i,
                               const WorkerContext& context) const noexcept {
    const Packet& packet = burst.packet[i];
    if (burst.verdict[i] == Verdict::Forward && burst.path[i] != kNoPath) {
        add_fact(record, TraceRecord::kCached);
    } else if (burst.tracked & bit(i)) {
        const Flow& flow = context.flows.flow(burst.flow[i].index());
        add_fact(record, TraceRecord::kCached,
                 !packet.is_icmp_error &&
                     has_cached_verdict(flow, static_cast<unsigned>(burst.flow[i].direction()),
                                        packet, burst.ct_class[i], context.epoch));
    }
}

void PacketTrace::note(TracePoint point, const Burst& burst,
                       const WorkerContext& context) noexcept {
    for_each(chosen_, [&](uint32_t i) {
        TraceRecord& record = records_[i];
        const bool is_keyed = !(burst.flowless & bit(i)) && burst.verdict[i] == Verdict::Pending;
        switch (point) {
            case TracePoint::Parsed:
                add_fact(record, TraceRecord::kFragment, burst.fragments & bit(i));
                if (burst.verdict[i] != Verdict::Drop)
                    record.ether_type = burst.packet[i].ether_type;
                if (is_keyed || burst.flowless & bit(i)) note_parsed(record, burst.packet[i]);
                break;
            case TracePoint::Reassembled:
                if (burst.verdict[i] != Verdict::Pending || !record.has(TraceRecord::kFragment))
                    break;
                add_fact(record, TraceRecord::kDatagram);
                note_parsed(record, burst.packet[i]);
                record.frame_length = burst.mbuf[i]->pkt_len;
                break;
            case TracePoint::Raw:
                raw_path_[i] = burst.path[i];
                if (burst.path[i] == kNoPath) break;
                add_fact(record, TraceRecord::kRaw);
                add_fact(record, TraceRecord::kRawCut,
                         !copy_path(*context.paths, burst.path[i], record.raw_rule,
                                    TraceRecord::kRawRules, record.raw_rules));
                break;
            case TracePoint::LookedUp:
                add_fact(record, TraceRecord::kLookedUp, is_keyed);
                if (!(burst.tracked & bit(i))) break;
                add_fact(record, TraceRecord::kHit);
                record.flow = burst.flow[i].index();
                record.state_before = context.flows.flow(record.flow).state.load();
                record.status_before = context.flows.flow(record.flow).status.load();
                break;
            case TracePoint::Tracked:
                note_tracked(record, burst, i, context);
                break;
            case TracePoint::Done:
                finish(record, burst, i, context);
                break;
        }
    });
}

void PacketTrace::finish(TraceRecord& record, const Burst& burst, uint32_t i,
                         const WorkerContext& context) noexcept {
    record.generation = context.snapshot->generation;
    record.verdict = burst.verdict[i];
    record.reason = burst.reason[i];
    if (record.verdict != Verdict::Drop) record.filters &= static_cast<uint8_t>(~drops_only_);
    if (record.filters == 0) return;
    record.owner = burst.owner[i];
    if (record.verdict == Verdict::Forward) record.out = burst.packet[i].out_port;
    const bool is_tracked = record.has(TraceRecord::kIsIp) && record.verdict != Verdict::Consumed &&
                            record.verdict != Verdict::Held;
    // What was dropped before it had a class has that of an earlier burst's packet in its place.
    const bool has_class =
        is_tracked && (record.has(TraceRecord::kLookedUp) || burst.flowless & bit(i));
    if (has_class) {
        add_fact(record, TraceRecord::kHasClass);
        record.ct_class = burst.ct_class[i];
        if (record.ct_class == CtClass::Invalid) record.invalid = burst.packet[i].invalid;
    }
    // A first packet that was refused has left no flow behind.
    const bool has_flow = record.has(TraceRecord::kHit) || record.verdict == Verdict::Forward;
    if (has_class && has_flow && !burst.flow[i].is_none()) {
        add_fact(record, TraceRecord::kHasFlow);
        const Flow& flow = context.flows.flow(burst.flow[i].index());
        record.direction = burst.flow[i].direction();
        record.state_after = flow.state.load();
        record.status_after = flow.status.load();
        add_fact(record, TraceRecord::kNewFlow,
                 burst.flow[i].index() != record.flow && record.ct_class == CtClass::New &&
                     flow.has(flow_status::kConfirmed));
        record.flow = burst.flow[i].index();
    }
    if (has_class && burst.path[i] != kNoPath && burst.path[i] != raw_path_[i]) {
        add_fact(record, TraceRecord::kJudged);
        add_fact(record, TraceRecord::kRulesCut,
                 !copy_path(*context.paths, burst.path[i], record.rule, TraceRecord::kRules,
                            record.rules));
    }
    if (!ring_.put(record)) lost_.add(1);
}

}  // namespace rampart
