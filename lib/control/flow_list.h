// Flow list: the flows of all workers as control sees them, one consistent entry at a time.
//
// Reads the tables' arrays while the workers go on; an entry that changes its flow while it is
// being read is left out, as is one whose time is up but which has not been erased yet. Control
// thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "conntrack/flow.h"
#include "packet/tuple.h"
#include "rules/interface.h"

namespace rampart {

class FlowTable;
class Worker;

struct FlowEntry {
    Tuple original;
    Tuple reply;
    uint16_t status = 0;  // flow_status
    uint8_t state = 0;    // number of the tracker's state
    uint32_t timeout_s = 0;
    uint64_t packets[2]{};  // by direction; meaningful with accounting
    uint64_t bytes[2]{};
    uint32_t mark = 0;
    uint32_t id = 0;        // stable for the life of the flow, never 0
    uint64_t start_ns = 0;  // wall clock at confirmation
    uint64_t stop_ns = 0;   // wall clock at the end; 0: it lives
    InterfaceIndex in = 0;  // the port that its first packet came in by
    // Whose address its source was masqueraded to; kNoInterface: it is not masqueraded.
    InterfaceIndex masquerade = kNoInterface;
    uint8_t helper = 0;  // helper_number
    Tuple master = {};   // of the flow that announced it; family None: nobody did
    uint16_t worker = 0;
    FlowIndex index = 0;  // with `serial`: what Command::Erase takes
    uint32_t serial = 0;
};

// The id that listings show for an incarnation of a slot.
uint32_t flow_id(uint16_t worker, FlowIndex index, uint32_t serial) noexcept;

// False when the slot holds no flow that should be listed.
bool read_flow(const FlowTable& flows, uint16_t worker, FlowIndex index, Tick now,
               FlowEntry& entry) noexcept;

// A place in the tables of all workers, in their order; a listing goes on from there.
class FlowCursor {
  public:
    explicit FlowCursor(const std::vector<Worker*>& workers) : workers_(&workers) {}

    // The next flow among the next `slots` slots, which are counted down; false when there is
    // none.
    bool next(Tick now, uint32_t& slots, FlowEntry& entry) noexcept;
    // The flow that next() gave last comes again.
    void back() noexcept { --index_; }
    bool is_at_end() const noexcept { return worker_ == workers_->size(); }

  private:
    const std::vector<Worker*>* workers_;
    size_t worker_ = 0;
    FlowIndex index_ = 0;
};

}  // namespace rampart
