#include "control/memory_lock.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>

namespace rampart {
namespace {

bool lift_limit() {
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_MEMLOCK, &all) == 0) return true;
    rlimit present{};
    return getrlimit(RLIMIT_MEMLOCK, &present) == 0 && present.rlim_cur == RLIM_INFINITY;
}

}  // namespace

Result<void> lock_memory() {
    if (!lift_limit())
        return failure("the memory is not locked: the limit is finite, and may not be raised",
                       "ulimit -l unlimited   # the service has LimitMEMLOCK=infinity already");
    // Pages are locked when they are used: the stacks of all threads, never used whole, would take
    // more memory than the rest.
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) return {};
    return failure(std::string("the memory is not locked: ") + std::strerror(errno),
                   "idle pages may leave the memory");
}

}  // namespace rampart
