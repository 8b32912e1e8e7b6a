// ExpectationTable: what the helpers of one worker expect.
//
//   heads[hash(destination)] -> slot -> slot -> ...      next[slot], atomic
//                                |
//                          SeqCell<Expectation>          masters[], hosts[], ...: owner only
//
// Everything is allocated at start. Owner: one worker, which alone calls the functions under
// "worker". Other workers look first packets up under "any thread" without locks, to hand what is
// expected to the owner; they may miss what changes at that moment, and never wait or loop. Control
// lists. An expectation counts until its deadline, whether or not expire() has been called.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "base/seq_cell.h"
#include "base/shared.h"
#include "conntrack/expectation.h"
#include "conntrack/keyed_hash.h"

namespace rampart {

enum class ExpectOutcome : uint8_t {
    Added,
    Already,  // another master expects the same, and its child would go to the same place; as good
              // as added for those who allow it
    Busy,     // overlaps with another: choose another port
    HostLimit,  // the host behind the master has as many as it may have
    Full
};

class ExpectationTable {
  public:
    static constexpr uint32_t kDefaultCapacity = 1024;
    static constexpr uint32_t kPerHost = 64;  // of one original source address of masters
    static constexpr uint32_t kNone = UINT32_MAX;

    explicit ExpectationTable(KeyedHash hash, uint32_t capacity = kDefaultCapacity);
    ~ExpectationTable();
    ExpectationTable(const ExpectationTable&) = delete;
    ExpectationTable& operator=(const ExpectationTable&) = delete;

    // --- worker ---

    // All of them or none; they are of one master and class, and complete but for their ids. One of
    // the same master and class that is the same is replaced. A master with `class_limit` of this
    // class (0: any number) loses its oldest ones.
    // `shares_masters`: Already instead of Busy when another master expects the same, to the same
    // place.
    ExpectOutcome add(std::span<const Expectation> expectations, uint32_t class_limit, Tick now,
                      bool shares_masters = false) noexcept;
    // The first packet of a child: `found` is a copy. It goes unless it is permanent, and its group
    // goes with it. The conditions in its translation are resolved: `source` and `source_port`
    // hold.
    bool take(const Tuple& packet, Tick now, Expectation& found) noexcept;
    // Those of a master whose class is in `classes` (1 << class).
    uint32_t remove_of_master(FlowIndex master, uint32_t classes = UINT32_MAX) noexcept;
    // An expectation of `master` to exactly this destination becomes active until `deadline`.
    bool activate(FlowIndex master, uint8_t flow_class, const Tuple& destination,
                  Tick deadline) noexcept;
    bool remove(uint32_t slot, uint32_t id) noexcept;
    // Removes those past their deadline; returns how many.
    uint32_t expire(Tick now) noexcept;

    // --- any thread ---

    // Zero: nobody needs to look.
    uint32_t count() const noexcept { return count_.load(); }
    // The slot of an active expectation that `packet` matches, or kNone.
    // `found` holds only then.
    uint32_t find(const Tuple& packet, Tick now, Expectation& found) const noexcept;
    // Whether `expectation`, which goes to another worker's table, is Busy or Already for what is
    // here; Added: nothing stands in its way.
    ExpectOutcome outcome_elsewhere(const Expectation& expectation, Tick now,
                                    bool shares_masters) const noexcept;
    // --- control: listings ---
    uint32_t capacity() const noexcept { return capacity_; }
    // False: the slot is free, or changing.
    bool read(uint32_t slot, Expectation& expectation) const noexcept;

  private:
    // What the owner searches through without touching the cells.
    struct Slot {
        FlowIndex master = kNoFlow;  // kNoFlow: the slot is free
        uint32_t host = 0;           // hash of the master's original source address
        Tick deadline = 0;
        uint32_t id = 0;  // rises with age
        uint32_t bucket = 0;
        uint8_t flow_class = 0;
        uint8_t group = 0;
    };
    uint32_t bucket_of(const Tuple& tuple) const noexcept;
    uint32_t host_of(const Tuple& original) const noexcept;
    void insert(uint32_t slot, const Expectation& expectation) noexcept;
    void remove(uint32_t slot) noexcept;
    void remove_group(const Expectation& found) noexcept;
    ExpectOutcome check(const Expectation& expectation, Tick now,
                        bool shares_masters) const noexcept;
    void remove_replaced(const Expectation& expectation, Tick now) noexcept;
    uint32_t count_of_host(uint32_t host) const noexcept;
    void make_room(const Expectation& expectation, uint32_t size, uint32_t class_limit) noexcept;
    void resolve_source(const Tuple& packet, Expectation& found) const noexcept;

    KeyedHash hash_;
    uint32_t capacity_;
    uint32_t bucket_mask_;
    std::unique_ptr<std::atomic<uint32_t>[]> heads_;  // worker: rw, others: ro
    std::unique_ptr<std::atomic<uint32_t>[]> next_;   // worker: rw, others: ro
    std::unique_ptr<SeqCell<Expectation>[]> cells_;   // worker: rw, others: ro
    std::unique_ptr<Slot[]> slots_;                   // worker only
    uint32_t next_id_ = 1;
    Shared<uint32_t> count_;  // worker: rw, others: ro
};

}  // namespace rampart
