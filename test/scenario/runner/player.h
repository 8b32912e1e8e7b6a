// play(): runs one scenario through the packet path and says what was not as expected.
//
// Besides what the scenario asks, every one is checked for conservation: each packet received was
// forwarded or dropped for one reason, and no mbuf is lost. One thread; needs EAL.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "packet/drop_reason.h"
#include "packet/invalid_reason.h"
#include "scenario/runner/scenario.h"

namespace rampart::test {

struct PlayResult {
    std::vector<std::string> failures;  // "step at line 7: lan tcp ...: expected ..., got ..."
    std::set<DropReason> reasons;       // that some row expected and got
    std::set<InvalidReason> invalid;    // likewise
    size_t packets = 0;
};

PlayResult play(const Scenario& scenario);

}  // namespace rampart::test
