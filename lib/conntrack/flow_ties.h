// FlowTies: what ties a flow to helpers and to other workers.
//
// Parts of the Flow, nearly always empty: the path of settled packets does not look at them.
// Written by the worker; control reads the fields tagged so.
#pragma once

#include <cstdint>

#include "base/shared.h"

namespace rampart {

struct FlowTies {
    uint32_t helper_slot = 0;   // in HelperFlows, plus one; 0: no helper
    uint8_t master_helper = 0;  // helper_number of the master; 0: it has none
    // The worker, plus one, that packets of each direction come to and that hands them over; 0: the
    // owner gets them itself.
    uint8_t arrives_at[2]{};
    Shared<uint8_t> helper;  // control: ro; helper_number
};
static_assert(sizeof(FlowTies) == 8);

// Valid with kExpected: the flow that announced it, and which incarnation of that slot.
struct FlowMaster {
    Shared<uint32_t> flow;    // control: ro; plus one
    Shared<uint32_t> serial;  // control: ro
};

}  // namespace rampart
