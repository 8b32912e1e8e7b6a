// HelperFlows: the flows of one worker that have a helper, and what these expect.
//
// Carries out what helpers ask for (conntrack/helpers/helper.h) on packet buffers. A flow with a
// helper has a slot here; its number plus one is kept with the flow, 0 is no helper. Everything is
// allocated at start.
// Owner: one worker. Other workers look into expectations() and gre_keys() as those allow.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include <rte_mbuf.h>

#include "base/shared.h"
#include "conntrack/expectation_table.h"
#include "conntrack/gre_key_map.h"
#include "conntrack/helpers/helper.h"
#include "conntrack/helpers/payload_edits.h"
#include "packet/packet.h"

namespace rampart {

// One packet of a flow with a helper, after its headers were translated.
struct HelperPacket {
    rte_mbuf* mbuf;
    Packet& packet;
    Direction direction;
    const Tuple& original;  // of the flow
    const Tuple& reply;
    FlowIndex flow;
    uint32_t serial;  // FlowInfo::serial
    bool is_established = false;
    bool is_translated = false;
    bool is_expected = false;
    uint32_t max_ip_length = UINT16_MAX;  // that may leave
};

struct HelperOutcome {
    HelperDrop drop = HelperDrop::None;
    Tick timeout = 0;  // not 0: the flow lives so long from now
    bool ends_flow = false;
    Tuple ended;  // with ends_flow: the original tuple of the flow that is over
};

class HelperFlows final : private HelperHost {
  public:
    struct Options {
        KeyedHash hash = KeyedHash::from_seed(0);
        uint32_t flows = 4096;
        uint32_t expectations = ExpectationTable::kDefaultCapacity;
        uint32_t gre_keys = GreKeyMap::kDefaultCapacity;
    };
    explicit HelperFlows(const Options& options);

    // Before the workers run: where ports must be free as well. May contain this one's own.
    void share(std::span<const HelperFlows* const> all) noexcept { all_ = all; }

    // --- worker ---

    // A slot's number plus one; 0: there is no such helper, or no slot is free.
    uint32_t attach(uint8_t helper) noexcept;
    // The flow ends: so does all that it expects.
    void release(uint32_t slot, FlowIndex flow) noexcept;
    uint8_t helper_of_slot(uint32_t slot) const noexcept { return slots_[slot - 1].helper; }
    // Reads the packet, rewrites and renumbers it.
    HelperOutcome run(uint32_t slot, const HelperPacket& what, Tick now) noexcept;
    // What window tracking takes off acknowledgements (conntrack/sequence_adjust.h); null: nothing.
    const SequenceAdjust* adjustment(uint32_t slot) const noexcept {
        const SequenceAdjust& adjust = slots_[slot - 1].state.adjust;
        return adjust.is_active() ? &adjust : nullptr;
    }
    ExpectationTable& expectations() noexcept { return expectations_; }
    GreKeyMap& gre_keys() noexcept { return gre_keys_; }

    // --- any thread ---
    const ExpectationTable& expectations() const noexcept { return expectations_; }
    const GreKeyMap& gre_keys() const noexcept { return gre_keys_; }
    // That this helper (helper_number) has read, ever.
    uint64_t packets(uint8_t helper) const noexcept { return packets_[helper].load(); }

  private:
    struct Slot {
        HelperState state;
        uint8_t helper;  // 0: free
        bool is_detached;
        uint32_t next_free;
    };
    // The payload of the packet, in one piece; empty: there is none, or it cannot be had.
    std::span<const uint8_t> payload_of(const HelperPacket& what) noexcept;
    HelperDrop inspect(Slot& slot, const HelperPacket& what) noexcept;

    Tick now() const noexcept override { return now_; }
    uint32_t random() noexcept override;
    ExpectOutcome expect(std::span<Expectation> expectations,
                         bool shares_masters) noexcept override;
    void forget_expectations(uint32_t classes) noexcept override;
    bool activate(uint8_t flow_class, const Tuple& destination, Tick deadline) noexcept override;
    bool replace(uint32_t offset, uint32_t length, std::string_view text) noexcept override;
    void set_timeout(Tick timeout) noexcept override { outcome_.timeout = timeout; }
    bool map_gre_key(const Tuple& tuple) noexcept override;
    void forget_gre_keys() noexcept override;
    void end_flow(const Tuple& original) noexcept override;

    KeyedHash hash_;
    ExpectationTable expectations_;
    GreKeyMap gre_keys_;
    std::unique_ptr<Slot[]> slots_;
    uint32_t slot_count_;
    uint32_t first_free_ = 0;
    std::span<const HelperFlows* const> all_;
    uint64_t drawn_ = 0;                                  // random numbers
    std::array<Shared<uint64_t>, kHelperCount> packets_;  // worker: rw, others: ro

    // Of the packet that is looked at.
    const HelperPacket* what_ = nullptr;
    uint8_t helper_ = 0;
    Tick now_ = 0;
    std::span<const uint8_t> payload_;
    PayloadEdits edits_;
    HelperOutcome outcome_;
};

}  // namespace rampart
