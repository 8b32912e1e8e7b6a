// GreKeyMap: the source keys of GRE packets of PPTP calls (RFC 2637).
//
// An enhanced GRE header names only the receiver's call id. The PPTP helper notes for each
// direction of a call which id its other side has, so that a GRE packet gets a whole tuple and both
// directions are one connection (netfilter's gre_keymap). Owner: the worker of the control
// connection, the only writer. Any thread may look up; it may miss an entry that changes at that
// moment. All memory is taken at start; a key has kWays places.
#pragma once

#include <cstdint>
#include <memory>

#include "base/seq_cell.h"
#include "base/shared.h"
#include "conntrack/flow.h"
#include "conntrack/keyed_hash.h"
#include "packet/tuple.h"

namespace rampart {

class GreKeyMap {
  public:
    static constexpr uint32_t kDefaultCapacity = 1024, kWays = 8;

    explicit GreKeyMap(KeyedHash hash, uint32_t capacity = kDefaultCapacity);

    // --- worker ---
    // `tuple` as GRE packets arrive: src_port is what they do not tell. False: no place is free, or
    // another master has it.
    bool add(const Tuple& tuple, FlowIndex master) noexcept;
    uint32_t remove_of_master(FlowIndex master) noexcept;

    // --- any thread ---
    // Zero: nobody needs to look.
    uint32_t count() const noexcept { return count_.load(); }
    // Fills tuple.src_port of a GRE packet if its call is known; its dst_port is the call id.
    bool complete(Tuple& tuple) const noexcept;

  private:
    struct Entry {
        Tuple tuple;
        FlowIndex master = kNoFlow;  // kNoFlow: free
        uint32_t pad = 0;
    };
    uint32_t first_of(const Tuple& tuple) const noexcept;

    KeyedHash hash_;
    uint32_t capacity_;
    std::unique_ptr<SeqCell<Entry>[]> entries_;  // worker: rw, others: ro
    std::unique_ptr<FlowIndex[]> masters_;       // worker only
    Shared<uint32_t> count_;                     // worker: rw, others: ro
};

}  // namespace rampart
