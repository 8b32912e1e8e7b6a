// Thread capabilities: of threads that cannot be asked to drop them, because a library made them
// and they only wait, such as the listener of DPDK's telemetry.
//
// Capabilities belong to threads, and only a thread itself can drop them. So each gets a signal,
// whose handler does it with plain system calls. Control thread, before system calls are filtered.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rampart {

struct ThreadPower {
    int tid = 0;
    std::string name;
};

// This process's threads that may do more than `kept`, a mask of capabilities.
std::vector<ThreadPower> threads_with_more(uint64_t kept);

// What they have of `kept` stays, the rest goes; also no_new_privs, and the bounding set. Returns
// when all have done so, or one has not answered for a second.
void drop_capabilities_of(const std::vector<ThreadPower>& threads, uint64_t kept);

}  // namespace rampart
