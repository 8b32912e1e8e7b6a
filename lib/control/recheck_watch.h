// RecheckWatch: tells the log which rules ended flows after a reload (reload.established: recheck).
//
// Looks once per second; one line for all flows that were ended since the last one. Control thread.
#pragma once

#include <cstdint>
#include <string>

namespace rampart {

class Publisher;

class RecheckWatch {
  public:
    void look(const Publisher& publisher);

  private:
    uint64_t told_ = 0;  // of Publisher::flows_cut()
};

// "rule old-web (rampart.yaml:12) 3, policy of forward 1": who ended flows in the current
// generation, those with most first; empty when nobody did.
std::string describe_flows_cut(const Publisher& publisher);

}  // namespace rampart
