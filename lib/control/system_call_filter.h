// SystemCallFilter: from a moment on, the process may make only the system calls that are listed.
//
// A call that is not listed does not happen: it returns EPERM to whoever made it, and is counted
// and told by name (take_refused). Not SIGSYS as it comes, nor SECCOMP_RET_KILL: a call that a new
// version of a library makes in some rare case must not take the firewall down, and must not stay
// unseen either. Both are had with SECCOMP_RET_TRAP and a handler that returns the error; where the
// handler is not written for the architecture, the kernel returns the error and nothing is told.
//
// Installed once, for all threads; there is no way back. Sources: seccomp(2), seccomp_init(3).
// Control thread; the handler runs on any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace rampart {

// Fails when the kernel has no seccomp; then everything stays as it is.
Result<void> install_system_call_filter();

struct RefusedCall {
    std::string name;
    uint64_t count;  // since the last time
};
// What was refused since the last time.
std::vector<RefusedCall> take_refused_calls();

}  // namespace rampart
