// Publisher: owns the snapshots, hands each new one to all workers and keeps the rules' counts.
//
//   generations_:  [oldest ... current]      normally one; more while a worker still lags behind
//
// publish() numbers a snapshot, gives it a path table per worker and stores its pointer in every
// worker. A worker takes it at its next loop and says so; when all did, nobody can reach the older
// generations: their counts are carried over by chain and rule id, and they are freed. Generations
// of one lineage (Snapshot::lineage) number their rules the same way: counts go over as they are,
// and sets are shared.
// Control thread only. Workers see snapshots through Worker::publish.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/result.h"
#include "dpdk/tsc_clock.h"
#include "rules/rule_states.h"
#include "rules/snapshot.h"

namespace rampart {

class Worker;

// Counts of `from` moved to the numbering of `to`: rules keep theirs by (chain, id), policies by
// chain, implicit rules as such. A rule that `to` does not have loses its count.
std::vector<RuleCount> carry_over(const Ruleset& from, const std::vector<RuleCount>& counts,
                                  const Ruleset& to);

class Publisher {
  public:
    // `clock`: what the deadlines of set elements are counted by; may be null.
    explicit Publisher(std::vector<Worker*> workers, const TscClock* clock = nullptr)
        : workers_(std::move(workers)), clock_(clock) {}

    // Makes `snapshot` the current generation and returns its number; does not wait.
    uint32_t publish(std::unique_ptr<Snapshot> snapshot);
    // Waits until all workers use the current generation, but no longer than `timeout_ms`.
    bool wait_until_active(uint32_t timeout_ms);
    // When wait_until_active() saw that.
    std::chrono::steady_clock::time_point active_since() const noexcept { return active_since_; }
    // Frees generations that no worker can reach any more.
    void collect();

    // A set of the current generation has changed: flows ask the rules again.
    void note_changed_set();
    bool has_snapshot() const noexcept { return !generations_.empty(); }
    const Snapshot& current() const noexcept { return *generations_.back(); }
    // All workers use the current generation.
    bool is_active() const noexcept;
    // By RuleIndex of the current generation, since the daemon started or they were reset.
    std::vector<RuleCount> counts() const;
    // From now on these counters of the current generation count from zero. False, and nothing
    // done, while a worker still uses an older generation.
    bool reset_counts(const std::vector<RuleIndex>& indices);
    // Flows that rules of any generation ended (reload.established: recheck).
    uint64_t flows_cut() const;

  private:
    std::vector<Worker*> workers_;
    const TscClock* clock_;
    RuleStates states_{KeyedHash::random()};
    std::deque<std::unique_ptr<Snapshot>> generations_;
    // What was counted before generations_.front(). Modulo 2^64: a reset takes off what the path
    // tables will still report.
    std::vector<RuleCount> base_;
    uint64_t flows_cut_ = 0;  // of generations that are gone
    uint32_t last_generation_ = 0;
    std::chrono::steady_clock::time_point active_since_;
    uint32_t set_changes_ = 0;
};

}  // namespace rampart
