// TopLook: what has happened between two looks at the daemon's counters, as a document for `top`.
//
// A look copies the counters; rates are what came since the one before, whoever else looks. Rules
// that were reset, or exchanged by a reload, have no rate until the next look. Control thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "control/json.h"
#include "control/stats.h"
#include "rules/path_table.h"

namespace rampart {

class Controller;
class Talkers;

class TopLook {
  public:
    // At most `count` of each list.
    TopLook(Controller& controller, size_t count);

    void look();
    // Of the last two looks. `talkers` may be null: nothing counts the bytes of flows.
    Json document(const Talkers* talkers) const;
    // Between them.
    double seconds() const noexcept;

  private:
    struct Look {
        std::chrono::steady_clock::time_point at;
        std::vector<Totals> workers;
        Totals all;
        std::vector<RuleCount> rules;
        uint32_t lineage = 0;  // that `rules` are numbered by
    };
    double per_second(uint64_t now, uint64_t before) const noexcept;
    Json ports() const;
    Json workers() const;
    Json drops() const;
    Json rules() const;
    Json talkers_json(const Talkers& talkers) const;

    Controller& controller_;
    const size_t count_;
    Look now_, before_;
};

}  // namespace rampart
