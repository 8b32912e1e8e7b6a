// RateHistory: what happened in each of the last ten minutes' seconds, for pages opened now.
//
// A ring of plain numbers, from Stats after each of its samples. Control thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rampart {

class Stats;

class RateHistory {
  public:
    static constexpr size_t kSeconds = 600;

    // Rates per second.
    struct Second {
        uint64_t wall_s = 0;
        double received = 0, forwarded = 0, dropped = 0;  // packets
        double received_bytes = 0, transmitted_bytes = 0;
        double flows_new = 0;
        uint64_t flows = 0;  // there are
    };

    void add(const Stats& stats, uint64_t flows, uint64_t wall_s);
    // Oldest first.
    std::vector<Second> seconds() const;

  private:
    std::vector<Second> ring_;
    size_t next_ = 0;  // where the oldest stands, once the ring is full
};

}  // namespace rampart
