// PacketTrace: what every stage of one worker does to chosen packets, told to control.
//
// Control sets filters (control/trace_feed.h) and reads records. While no filter is set, process()
// reads one flag per burst. With one, each packet is held against the filters as it came; the
// stages run as ever, and what they left in the burst is noted between them. A full ring loses
// records, which are counted: the worker never waits.
//
// Owner: the worker; set_filter(), read() and lost() are control's. A filter that was taken away
// may be freed when the worker has gone through another loop.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/burst.h"
#include "dataplane/record_ring.h"

struct rte_bpf;

namespace rampart {

struct WorkerContext;

struct TraceFilter {
    const rte_bpf* program = nullptr;  // null: every packet
    InterfaceIndex in = kNoInterface;  // kNoInterface: any
    bool drops_only = false;
};
inline constexpr unsigned kMaxTraceFilters = 8;

// A packet on its way, as far as it came.
struct TraceRecord {
    static constexpr unsigned kRawRules = 8, kRules = 24;
    enum Fact : uint16_t {
        kIsIp = 1 << 0,      // `tuple` and what belongs to it
        kFragment = 1 << 1,  // of a datagram
        kDatagram = 1 << 2,  // was put together; it stands in the place of its last fragment
        kRaw = 1 << 3,       // walked the chain raw
        kLookedUp = 1 << 4,
        kHit = 1 << 5,  // found a flow
        kHasClass = 1 << 6,
        kHasFlow = 1 << 7,  // when it was judged
        kNewFlow = 1 << 8,  // which it started
        kCached = 1 << 9,   // the flow remembered the verdict
        kJudged = 1 << 10,  // by the rules, now or as remembered
        kRawCut = 1 << 11,  // more rules matched than fit
        kRulesCut = 1 << 12,
    };

    uint64_t wall_ns = 0;
    Tuple tuple;
    uint32_t generation = 0;
    uint32_t frame_length = 0;
    FlowIndex flow = kNoFlow;
    uint16_t facts = 0;
    uint16_t ip_length = 0;
    uint16_t ether_type = 0;
    uint16_t vlan_tci = 0;
    uint16_t status_before = 0, status_after = 0;  // flow_status
    uint16_t worker = 0;
    uint8_t state_before = 0, state_after = 0;  // numbers of the tracker's states
    uint8_t filters = 0;                        // that chose it, as bits
    uint8_t tcp_flags = 0;
    uint8_t hop_limit = 0;
    uint8_t owner = 0;  // of Consumed: the worker it is handed to
    InterfaceIndex in = kNoInterface;
    InterfaceIndex out = kNoInterface;
    Verdict verdict = Verdict::Pending;
    DropReason reason{};
    CtClass ct_class = CtClass::New;
    Direction direction = Direction::Original;
    InvalidReason invalid = InvalidReason::None;
    uint8_t raw_rules = 0, rules = 0;  // how many
    uint8_t unused[5]{};
    RuleIndex raw_rule[kRawRules]{};
    RuleIndex rule[kRules]{};

    bool has(uint16_t fact) const noexcept { return (facts & fact) == fact; }
};
static_assert(sizeof(TraceRecord) == 224);

// Between which stages the burst is looked at.
enum class TracePoint : uint8_t { Parsed, Reassembled, Raw, LookedUp, Tracked, Done };

class PacketTrace {
  public:
    static constexpr uint32_t kSlots = 1024;
    static constexpr uint64_t kBytes = kSlots * sizeof(TraceRecord);

    static Result<std::unique_ptr<PacketTrace>> create(const std::string& name, int numa_node);

    // --- worker ---
    bool is_wanted() const noexcept { return is_wanted_.load(std::memory_order_acquire); }
    // Before the first stage, after each, and at the end.
    void choose(const Burst& burst, const WorkerContext& context) noexcept;
    void note(TracePoint point, const Burst& burst, const WorkerContext& context) noexcept;

    // --- control ---
    // `filter` null: none in this place. It must outlive its use.
    void set_filter(unsigned place, const TraceFilter* filter) noexcept;
    uint32_t read(TraceRecord* records, uint32_t capacity) noexcept {
        return ring_.take(records, capacity);
    }
    uint64_t lost() const noexcept { return lost_.load(); }

  private:
    explicit PacketTrace(RecordRing<TraceRecord> ring) : ring_(std::move(ring)) {}
    void note_parsed(TraceRecord& record, const Packet& packet) const noexcept;
    void note_tracked(TraceRecord& record, const Burst& burst, uint32_t i,
                      const WorkerContext& context) const noexcept;
    void finish(TraceRecord& record, const Burst& burst, uint32_t i,
                const WorkerContext& context) noexcept;

    RecordRing<TraceRecord> ring_;
    std::array<std::atomic<const TraceFilter*>, kMaxTraceFilters> filters_{};  // control: rw
    std::atomic<bool> is_wanted_{false};                                       // control: rw
    Shared<uint64_t> lost_;  // worker: rw, control: ro
    // Worker only, of the present burst.
    PacketMask chosen_ = 0;
    uint8_t drops_only_ = 0;  // filters, as bits
    std::array<PathId, kBurstSize> raw_path_;
    std::array<TraceRecord, kBurstSize> records_;
};

}  // namespace rampart
