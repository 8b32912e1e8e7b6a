// PacketCapture: copies of chosen frames of one worker, told to control (control/capture_feed.h).
//
// Where frames are looked at:
//   Received  as a port gave them, before anything was done to them; once, on the worker that
//             polled the port
//   Sent      as they are given to a port: translated, with their new link header, cut again
//   Dropped   at the end of their way, with the hop limit that they came with
//   Local     only by rule: at the end of their way to the box itself
// A filter that is about drops or about a rule sees only ends of ways; the others only Received and
// Sent. While no filter is set the packet path reads one flag per loop and tests it once per burst.
// With filters, their programs are interpreted (bounded, without loops) and what they choose goes
// to a ring of cells; a frame for which there is no room is lost, and counted. The worker never
// waits.
//
// Owner: the worker; set_filter(), read() and lost() are control's. A filter that was taken away
// may be freed when the worker has gone through two more loops.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/shared.h"
#include "dataplane/burst.h"
#include "dataplane/record_ring.h"

struct rte_bpf;

namespace rampart {

struct Snapshot;
struct WorkerContext;

inline constexpr unsigned kMaxCaptures = 4;
// Longest part of a frame that is copied: a whole IP datagram with its link header and tags.
inline constexpr uint32_t kMaxCaptureLength = 65'576;

struct CaptureFilter {
    static constexpr unsigned kMaxRules = 8;
    // The rules that have the wanted id, in the numbering of one snapshot.
    struct Rules {
        const Snapshot* snapshot = nullptr;
        uint32_t count = 0;
        std::array<RuleIndex, kMaxRules> rule{};
    };

    const rte_bpf* program = nullptr;  // null: every frame
    uint64_t interfaces = UINT64_MAX;  // by InterfaceIndex, as bits; all ones: wherever
    uint32_t snap_length = kMaxCaptureLength;
    bool drops_only = false;
    bool has_reason = false;  // with drops_only: this one
    DropReason reason{};
    bool by_rule = false;
    std::array<Rules, 2> rules{};  // of the running configuration, and of the next

    bool wants_ends() const noexcept { return drops_only || by_rule; }
};

enum class CapturePoint : uint8_t { Received, Sent, Dropped, Local };

// What is known of a captured frame besides its bytes.
struct CaptureHead {
    uint64_t wall_ns = 0;
    uint32_t generation = 0;      // that `rule` is a number of
    RuleIndex rule = UINT32_MAX;  // the last on its way; all bits: none, or not known
    uint32_t length = 0;          // of the frame
    uint32_t captured = 0;        // bytes that follow
    uint16_t worker = 0;
    uint8_t filters = 0;  // that chose it, as bits
    InterfaceIndex interface = kNoInterface;
    CapturePoint point = CapturePoint::Received;
    DropReason reason{};  // of Dropped
    uint8_t unused[2]{};
};
static_assert(sizeof(CaptureHead) == 32);

// The ring's element. A frame is a head and its first bytes in one, and further bytes in the next.
struct CaptureCell {
    static constexpr uint32_t kBytes = 256;
    std::array<std::byte, kBytes> bytes;
};

constexpr uint32_t cells_of(uint32_t captured) noexcept {
    constexpr uint32_t kHeadBytes = sizeof(CaptureHead);
    return (kHeadBytes + captured + CaptureCell::kBytes - 1) / CaptureCell::kBytes;
}

class PacketCapture {
  public:
    static constexpr uint32_t kCells = 8192;
    static constexpr uint64_t kBytes = kCells * sizeof(CaptureCell);

    static Result<std::unique_ptr<PacketCapture>> create(const std::string& name, int numa_node);

    // --- worker ---
    bool is_wanted() const noexcept { return is_wanted_.load(std::memory_order_acquire); }
    // The burst as it was received, after it was parsed and before it is changed.
    void note_received(const Burst& burst, const WorkerContext& context) noexcept;
    // After the chain raw, whose rules are no part of the way that burst.path tells of.
    void note_raw(const Burst& burst, const WorkerContext& context) noexcept;
    // The burst with its verdicts, and the replies to it.
    void note_decided(Burst& burst, const WorkerContext& context) noexcept;
    // A frame that leaves, or ends, later than the burst was decided.
    void note_late(const rte_mbuf* mbuf, CapturePoint point, InterfaceIndex interface,
                   DropReason reason, const WorkerContext& context) noexcept;

    // --- control ---
    // `filter` null: none in this place. It must outlive its use.
    void set_filter(unsigned place, const CaptureFilter* filter) noexcept;
    uint32_t read(CaptureCell* cells, uint32_t capacity) noexcept {
        return ring_.take(cells, capacity);
    }
    uint64_t lost(unsigned place) const noexcept { return lost_[place].load(); }

  private:
    explicit PacketCapture(RecordRing<CaptureCell> ring) : ring_(std::move(ring)) {}
    // Asks each filter that is wanted, by its place, whether it takes the frame; the frame is put
    // if one does.
    template <typename Wanted>
    void offer(const rte_mbuf* mbuf, CaptureHead& head, const WorkerContext& context,
               Wanted wanted) noexcept;
    void put(const rte_mbuf* mbuf, CaptureHead& head) noexcept;
    bool has_rule(const CaptureFilter& filter, PathId path,
                  const WorkerContext& context) const noexcept;
    void note_end(Burst& burst, uint32_t i, const WorkerContext& context) noexcept;

    RecordRing<CaptureCell> ring_;
    std::array<std::atomic<const CaptureFilter*>, kMaxCaptures> filters_{};  // control: rw
    std::atomic<bool> is_wanted_{false};                                     // control: rw
    std::array<Shared<uint64_t>, kMaxCaptures> lost_;  // worker: rw, control: ro
    // Worker only, of the present burst: packets that matched the rule of a filter in raw.
    std::array<PacketMask, kMaxCaptures> raw_matched_{};
};

}  // namespace rampart
