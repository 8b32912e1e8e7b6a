// `rampartctl check FILE`: reads a configuration here, without daemon, root or DPDK.
#pragma once

#include <string>

namespace rampart {

// Exit status 0, or 4 when the file has errors.
int run_check(const std::string& path, bool json);

}  // namespace rampart
