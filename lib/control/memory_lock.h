// Locked memory: no page of the daemon that was used once leaves the memory again.
//
// The kernel writes idle pages out, and drops idle pages of the program; a worker that needs one
// again waits for a disk while its queue overflows. Hugepages stay by themselves; this is about
// everything else. Needs a limit of locked memory that is infinite, or the right to raise it: with
// a finite one later allocations would fail. Once, when everything is set up; control thread.
// Sources: mlock(2), getrlimit(2).
#pragma once

#include "base/result.h"

namespace rampart {

// An error says why pages may leave; the daemon works without.
Result<void> lock_memory();

}  // namespace rampart
