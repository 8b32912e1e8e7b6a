// Journal: what happened to the flows of one worker, told to control while somebody listens.
//
// A RecordRing from the worker to control. Control says what is wanted; the worker reads that once
// per loop and writes nothing otherwise. A full ring loses records, which are counted: a worker
// never waits for control.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/shared.h"
#include "conntrack/flow.h"
#include "dataplane/record_ring.h"
#include "packet/invalid_reason.h"
#include "packet/tuple.h"

namespace rampart {

enum class JournalKind : uint8_t { New, Update, Destroy, Invalid };

struct JournalRecord {
    Tuple tuple;            // the flow's original one; Invalid: the packet's
    Tuple reply;            // of the flow
    uint64_t wall_ns = 0;   // when
    uint64_t start_ns = 0;  // the flow's, wall clock
    uint64_t packets[2]{};  // of the flow, by direction; Invalid: those not told before this one
    uint64_t bytes[2]{};    // of the flow, by direction; Invalid: the packet's IP length
    FlowIndex index = 0;    // with `serial`: which flow
    uint32_t serial = 0;
    Tick timeout = 0;  // ticks that it has left
    uint32_t mark = 0;
    uint16_t status = 0;  // flow_status
    uint8_t state = 0;    // number of the tracker's state
    JournalKind kind = JournalKind::New;
    bool state_changed = false;                  // of Update
    InvalidReason reason = InvalidReason::None;  // of Invalid
    uint8_t in_port = 0;                         // of Invalid: InterfaceIndex
    uint8_t unused = 0;
};
static_assert(sizeof(JournalRecord) == 152);

class Journal {
  public:
    static constexpr unsigned kSlots = 4096;
    static constexpr uint64_t kBytes = kSlots * sizeof(JournalRecord);

    static Result<std::unique_ptr<Journal>> create(const std::string& name, int numa_node);

    // --- worker ---
    bool wants_flows() const noexcept { return wants_flows_.load(); }
    void write(const JournalRecord& record) noexcept {
        if (!ring_.put(record)) lost_.add(1);
    }

    // --- control ---
    void want_flows(bool wanted) noexcept { wants_flows_.store(wanted); }
    uint32_t read(JournalRecord* records, uint32_t capacity) noexcept {
        return ring_.take(records, capacity);
    }
    uint64_t lost() const noexcept { return lost_.load(); }

  private:
    explicit Journal(RecordRing<JournalRecord> ring) : ring_(std::move(ring)) {}

    RecordRing<JournalRecord> ring_;
    Shared<bool> wants_flows_;  // control: rw, worker: ro
    Shared<uint64_t> lost_;     // worker: rw, control: ro
};

}  // namespace rampart
