// Whether this machine has what a configuration asks for: its devices (E027) and its memory (E028).
//
// Asked by rampartd when it starts and for --check; `rampartctl check` may run on another machine,
// and does not ask. Pure: what there is comes in as MachineFacts. Control thread.
#pragma once

#include "base/diagnostics.h"
#include "control/eal_arguments.h"

namespace rampart {

// `hugepage_bytes`: those that can be had, free ones or all. Places are those that `system` was
// loaded with, so `diagnostics` must be the ones of that.
void check_machine(const SystemSettings& system, uint32_t max_flows, const MachineFacts& machine,
                   uint64_t hugepage_bytes, Diagnostics& diagnostics);

}  // namespace rampart
