// Ager: finds flows whose time is up and proposes them to their worker (design D5).
//
// Each turn looks at the next slice of every worker's sweep array, so that a whole pass takes
// kTurnsPerPass turns however large the tables are, and posts one Expire per due entry. A full
// mailbox ends the slice; it is continued at the next turn. The worker re-checks every proposal.
// Control thread only.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace rampart {

class FlowTable;
class Mailbox;
class Worker;

// Posts due entries of [first, last) and returns where to go on: `last`, or where the mailbox
// was full.
uint32_t sweep(const FlowTable& flows, Mailbox& mailbox, uint32_t first, uint32_t last, Tick now);

class Ager {
  public:
    static constexpr uint64_t kTurn_us = 10'000;  // so a pass takes half a second
    static constexpr uint32_t kTurnsPerPass = 50;

    explicit Ager(std::vector<Worker*> workers)
        : workers_(std::move(workers)), next_(workers_.size()) {}

    void turn(Tick now);

  private:
    std::vector<Worker*> workers_;
    std::vector<uint32_t> next_;  // by worker: first entry of its next slice
};

}  // namespace rampart
