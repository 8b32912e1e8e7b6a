// `rampartctl test ... --config FILE`: what the rules of a file would do, without a daemon.
#pragma once

#include <string>
#include <vector>

namespace rampart {

// True when the words name a file, or ask for help: then the daemon is not needed.
bool is_local_packet_test(const std::vector<std::string>& arguments);
// Returns the exit status.
int run_packet_test(const std::vector<std::string>& arguments, bool json);

}  // namespace rampart
