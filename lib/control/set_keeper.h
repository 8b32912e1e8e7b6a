// SetKeeper: control's part in the sets of the running configuration.
//
// Forgets elements whose time is up, tells the flows when a set has changed, and frees what a
// change replaced once every worker has begun another loop: a worker holds nothing of a set from
// one loop to the next.
// Control thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "control/publisher.h"
#include "rules/sets/set_use.h"

namespace rampart {

class SetKeeper {
  public:
    SetKeeper(std::vector<Worker*> workers, Publisher& publisher)
        : workers_(std::move(workers)), publisher_(publisher) {}

    // After each change by control's hand.
    void changed(const SetHandle& handle);
    // Every ten milliseconds; a whole pass over each set takes a hundred turns.
    void turn(const Now& now);

    const std::vector<std::shared_ptr<SetHandle>>& handles() const noexcept {
        return publisher_.current().ruleset.names.sets;
    }
    const Names& names() const noexcept { return publisher_.current().ruleset.names; }
    size_t waiting() const noexcept { return waiting_.size(); }

  private:
    struct Waiting {
        RetiredList retired;
        std::vector<uint64_t> turns;  // of each worker, when it was replaced
    };
    void reclaim();

    std::vector<Worker*> workers_;
    Publisher& publisher_;
    std::deque<Waiting> waiting_;
};

}  // namespace rampart
