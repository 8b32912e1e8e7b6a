// FlowTies: what ties a flow to helpers and to other workers.
//
// A few bytes beside each Flow (same index), nearly always zero: the path of settled packets does
// not look at them. Worker only.
#pragma once

#include <cstdint>

namespace rampart {

struct FlowTies {
    uint32_t helper_slot = 0;   // in HelperFlows, plus one; 0: no helper
    uint8_t master_helper = 0;  // helper_number of the master; 0: it has none
    // The worker, plus one, that packets of each direction come to and that hands them over; 0: the
    // owner gets them itself.
    uint8_t arrives_at[2]{};
    uint8_t pad = 0;
};
static_assert(sizeof(FlowTies) == 8);

}  // namespace rampart
