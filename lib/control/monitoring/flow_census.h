// FlowCensus: how many flows there are of each protocol in each state.
//
// Goes through the tables of all workers again and again, a bounded number of slots and a bounded
// time at each turn, so that millions of flows neither hold up control nor a scrape; a pass takes a
// second or more. What it tells is the last complete pass: close to, but not exactly, what was
// there at any one moment. Control thread only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "conntrack/flow.h"
#include "conntrack/protocol_counts.h"

namespace rampart {

class FlowTable;
class Worker;

// One pass. Immutable.
struct FlowCounting {
    static constexpr size_t kStates = 16;
    // By tracker_number() and state.
    std::array<std::array<uint64_t, kStates>, kTrackerCount> flows{};
    uint64_t total = 0;
};

// The names by which flows are counted: of the protocol as `conntrack -L` prints it, "other" for
// those without a tracker; of its state, or how far the flow is for protocols without states.
// Empty: there is no such state.
std::string_view counted_protocol(size_t tracker) noexcept;
std::string_view counted_state(size_t tracker, size_t state) noexcept;

class FlowCensus {
  public:
    static constexpr uint64_t kTurn_us = 10'000;
    static constexpr uint32_t kTurnsPerPass = 100;  // at least

    explicit FlowCensus(std::vector<Worker*> workers);

    void turn();
    // Null before the first pass is complete.
    const std::shared_ptr<const FlowCounting>& last() const noexcept { return last_; }

  private:
    void count(const FlowTable& flows, FlowIndex index);

    std::vector<Worker*> workers_;
    uint32_t slots_per_turn_ = 0;
    size_t worker_ = 0;  // where the pass is
    FlowIndex index_ = 0;
    FlowCounting counting_;  // of this pass
    std::shared_ptr<const FlowCounting> last_;
};

}  // namespace rampart
