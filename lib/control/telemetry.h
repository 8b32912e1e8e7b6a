// Telemetry: the commands /rampart/... on DPDK's telemetry socket, for dpdk-telemetry.py and
// collectors that speak its protocol.
//
//   a thread of DPDK, one per client   on_command() -> ControlCalls -> answer as a document
//                                      -> fill(): DPDK's form of it
//   control thread                     makes the document
//
// The answers are those of `rampartctl ... --json`, as far as DPDK's form can carry them
// (telemetry_data.h). DPDK keeps commands until the process ends, and gives them no context: there
// is one Telemetry at a time, and without one the answer is null. Made and freed by control.
#pragma once

#include "control/control_calls.h"
#include "control/json.h"

namespace rampart {

class Controller;

class Telemetry {
  public:
    Telemetry(ControlCalls& calls, Controller& controller);
    // Closes the calls first: who waits for control would wait for its own answer here.
    ~Telemetry();
    Telemetry(const Telemetry&) = delete;
    Telemetry& operator=(const Telemetry&) = delete;

    // Any thread but control's. `parameters`: what stands behind the comma, or null. A null
    // document: no such command, or control did not answer.
    Json answer(const char* command, const char* parameters);

  private:
    ControlCalls& calls_;
    Controller& controller_;
};

}  // namespace rampart
