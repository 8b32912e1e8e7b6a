// Client: one request to the daemon and its reply, over the control socket
// (control/api_protocol.h).
#pragma once

#include <string>
#include <vector>

namespace rampart {

struct ClientOptions {
    std::string socket;
    unsigned timeout_s = 30;
    bool json = false;
};

// Sends the command, prints what comes back and returns the exit status; 3 when the daemon cannot
// be reached or does not answer in time.
int run_remote(const ClientOptions& options, const std::string& command,
               const std::vector<std::string>& arguments);

}  // namespace rampart
