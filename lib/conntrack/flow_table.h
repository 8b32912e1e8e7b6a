// FlowTable: the connections of one worker.
//
//   KeyTable -> FlowRef = index | direction -> the records of that slot (flow_arrays.h)
//
// Everything is allocated at start; nothing afterwards. Owner: one worker, which alone calls the
// functions under "worker". Control reads the arrays, never the hash, through the functions under
// "control".
//
// An erased flow disappears from the hash at once, but its slot is only reused after end_burst(),
// so that packets of the same burst may still refer to it, and other workers be told of its end.
#pragma once

#include <cstdint>
#include <memory>

#include "base/prefetch.h"
#include "base/result.h"
#include "conntrack/flow.h"
#include "conntrack/flow_arrays.h"
#include "conntrack/flow_counts.h"
#include "conntrack/flow_table_options.h"
#include "conntrack/foreign_keys.h"
#include "conntrack/key_table.h"
#include "conntrack/protocol_counts.h"
#include "conntrack/slot_queue.h"
#include "conntrack/source_counts.h"
#include "packet/packet.h"

namespace rampart {

class FlowTable {
  public:
    static constexpr uint32_t kSpareSlots = KeyBatch::kCapacity;
    // An index and a direction fit into 28 bits, with a value to spare (tag_index.h).
    static constexpr uint32_t kMaxCapacity = (1u << 27) - 2 * kSpareSlots;
    using Options = FlowTableOptions;

    // Needs EAL. Control thread, before the worker runs.
    static Result<std::unique_ptr<FlowTable>> create(const Options& options);
    ~FlowTable();
    FlowTable(const FlowTable&) = delete;
    FlowTable& operator=(const FlowTable&) = delete;
    // Bytes that create() will take, for the start-up report and sizing.
    static uint64_t bytes_for(const Options& options) noexcept;

    // --- worker ---
    const KeyTable& keys() const noexcept { return keys_; }

    // A zeroed flow outside the table. There are kSpareSlots more slots than flows may be in the
    // table, so that first packets can be judged, and flows evicted, in a full one; kNoFlow when
    // those are taken as well.
    FlowIndex allocate() noexcept;
    // Gives an allocated flow back that was never confirmed.
    void release(FlowIndex index) noexcept;
    // What the allocation after `ahead` others will touch is on its way to the cache.
    void prefetch_free(uint32_t ahead, bool is_tcp, bool is_counted) const noexcept;
    // Puts it into the table under the key of its first packet, whose tuple is info.original, and
    // gives it a serial number. False when there is no room: the flow is released.
    bool confirm(FlowIndex index, const Packet& first_packet, uint32_t hash, FlowInfo& info,
                 Tick deadline) noexcept;
    // The same for a translated flow, whose replies have the tuple `reply.reply`. False also when
    // either tuple is another flow's.
    bool confirm_translated(FlowIndex index, FlowInfo& info, const FlowReply& reply,
                            Tick deadline) noexcept;
    // Tuples of other workers' flows stand among the keys, too.
    ForeignKeys& foreign() noexcept { return foreign_; }
    // Makes room for one flow: the oldest that is not ASSURED goes.
    enum class Evicted : uint8_t { Nothing, Expired, Unassured };
    Evicted evict(Tick now) noexcept;
    bool can_evict() const noexcept { return unassured_.oldest() != kNoFlow; }
    // The connections that began to close first go, up to `count`; returns how many.
    uint32_t evict_closing(uint32_t count) noexcept;
    // It is ASSURED, and not being closed: it gives way to nobody.
    void set_assured(FlowIndex index) noexcept;
    // It is ASSURED, and its connection is being closed: control may ask for its place.
    void set_closing(FlowIndex index) noexcept;
    // Of an essential rule: it never gives way. After confirm().
    void set_essential(FlowIndex index) noexcept;
    // Takes it out of the table; see the note about end_burst() above.
    void erase(FlowIndex index) noexcept;
    // The next one erased since the last end_burst(), in order, or the first after kNoFlow;
    // kNoFlow: no more. Their flows and records are still there.
    FlowIndex erased_after(FlowIndex index) const noexcept {
        if (index == kNoFlow) index = last_held_;
        return index == kNoFlow ? erased_.oldest() : erased_.after(index);
    }
    // Before several are erased: first the slots of all, then what the end of those that are due
    // touches elsewhere.
    void prefetch_slot(FlowIndex index) const noexcept { arrays_.prefetch_end(index); }
    void prefetch_end_if_due(FlowIndex index, Tick now) const noexcept;
    // Makes the slots of erased flows available again. Call when no packet refers to them. One for
    // which `is_done(index)` is false stays as it is until a later call.
    template <typename IsDone>
    void end_burst(IsDone is_done) noexcept {
        held_count_ = 0;
        erased_.empty([&](FlowIndex index) {
            if (is_done(index)) return give_back(index);
            erased_.add(index, 0);
            ++held_count_;
        });
        last_held_ = erased_.newest();
    }
    void end_burst() noexcept;
    uint32_t held() const noexcept { return held_count_; }  // slots that it left as they were

    // Where flows are counted for rules; null: nowhere. What ends is taken off there.
    void count_in(CountedFlows* counted) noexcept { counted_ = counted; }
    // The connection is over, but its entry stays for a while.
    void uncount(FlowIndex index) noexcept;

    void set_deadline(FlowIndex index, Tick deadline) noexcept;
    // The same for a `flow` at `index` without a fixed timeout.
    void refresh(Flow& flow, FlowIndex index, Tick deadline) noexcept {
        flow.deadline.store(deadline);
        // The sweep may look too early (expire_if_due() corrects it then), never too late.
        if (is_past(deadline, flow.check_at) && deadline != flow.check_at) [[unlikely]]
            set_sweep(index, deadline);
    }
    // Control proposes to expire; true when the flow was erased.
    bool expire_if_due(FlowIndex index, Tick now) noexcept;
    // Erases the flow if it is still this incarnation.
    bool erase_incarnation(FlowIndex index, uint32_t serial) noexcept;
    // Takes what was reported off the counters of one direction of this incarnation.
    void discount(FlowIndex index, uint32_t serial, unsigned side, uint64_t packets,
                  uint64_t bytes) noexcept;
    // Erases every flow in [first, first + count); returns how many.
    uint32_t erase_range(FlowIndex first, uint32_t count) noexcept;

    Flow* flows() noexcept { return arrays_.flows; }
    Flow& flow(FlowIndex index) noexcept { return arrays_.flows[index]; }
    const Flow& flow(FlowIndex index) const noexcept { return arrays_.flows[index]; }
    void prefetch(FlowRef ref, size_t line) const noexcept {
        prefetch_to_read(reinterpret_cast<const char*>(&arrays_.flows[ref.index()]) + 64 * line);
    }
    FlowTies& ties(FlowIndex index) noexcept { return arrays_.flows[index].ties; }
    const FlowTies& ties(FlowIndex index) const noexcept { return arrays_.flows[index].ties; }
    // What counts the packets of each flow; null without FlowTableOptions::has_accounting.
    FlowAccounting* accounting() noexcept { return arrays_.accounting; }
    void prefetch_accounting(FlowRef ref) const noexcept {
        prefetch_to_write(&arrays_.accounting[ref.index()]);
    }
    // With FlowTableOptions::has_ways.
    Forwarding& forwarding(FlowIndex index) noexcept { return arrays_.forwarding[index]; }
    void prefetch_rank(FlowRef ref) const noexcept { arrays_.prefetch_rank(ref.index()); }
    const Forwarding& forwarding(FlowIndex index) const noexcept {
        return arrays_.forwarding[index];
    }
    // Of confirmed flows with kSrcNat or kDstNat.
    FlowReply reply(FlowIndex index) const noexcept { return arrays_.reply[index].own(); }
    // That of packets of this direction, as they come in.
    Tuple tuple_of(FlowIndex index, Direction direction) const noexcept;
    FlowInfo info(FlowIndex index) const noexcept;
    Tuple original_tuple(FlowIndex index) const noexcept {
        const Tuple tuple = arrays_.unswapped_tuple(index);
        return arrays_.records[index].is_turned() ? invert(tuple) : tuple;
    }

    // --- control (any thread) ---
    uint32_t limit() const noexcept { return capacity_ - kSpareSlots; }  // flows in the table
    uint32_t capacity() const noexcept { return capacity_; }             // slots: more than that
    uint32_t count() const noexcept { return count_.load(); }
    const ProtocolCounts& by_protocol() const noexcept { return by_protocol_; }
    // The tick at which `index` should be looked at; 0: not in the table.
    Tick sweep_at(FlowIndex index) const noexcept { return arrays_.sweep_at[index].load(); }
    // A consistent copy; false when the flow is not in the table, or not any more.
    bool read_info(FlowIndex index, FlowInfo& info) const noexcept;
    // Of a flow whose status has kSrcNat or kDstNat.
    bool read_reply(FlowIndex index, FlowReply& reply) const noexcept;
    // Zero when flows are not counted.
    FlowTraffic traffic(FlowIndex index) const noexcept;

  private:
    FlowTable() = default;
    void set_sweep(FlowIndex index, Tick at) noexcept;
    void forget(FlowIndex index) noexcept;
    void give_back(FlowIndex index) noexcept;
    static KeyTable::Options key_options(const Options& options);
    void enter(FlowIndex index, FlowInfo& info, bool is_turned, Tick deadline) noexcept;
    bool is_live(FlowIndex index) const noexcept;

    KeyTable keys_;
    ForeignKeys foreign_{keys_};
    uint32_t capacity_ = 0;
    FlowArrays arrays_;
    FlowIndex* free_ = nullptr;  // a stack: the slot freed last is reused first
    uint32_t free_count_ = 0;
    SlotQueue erased_{3};  // first those that are held, then those since end_burst()
    FlowIndex last_held_ = kNoFlow;
    uint32_t held_count_ = 0;
    uint32_t next_serial_ = 1;
    Shared<uint32_t> count_;      // worker: rw, control: ro
    ProtocolCounts by_protocol_;  // worker: rw, control: ro
    SlotQueue unassured_{1};      // by age
    SlotQueue closing_{2};        // ASSURED, by the time they began to close
    SourceCounts* sources_ = nullptr;
    CountedFlows* counted_ = nullptr;
};

}  // namespace rampart
