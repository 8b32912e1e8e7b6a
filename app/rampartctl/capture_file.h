// Capture file: `pcap -w FILE`. The daemon sends each packet with its bytes
// (control/capture_format.h); libpcap writes them, with nanoseconds, as they come.
#pragma once

#include <string>
#include <vector>

#include "client.h"

namespace rampart {

// -w, in any of its forms.
bool names_capture_file(const std::vector<std::string>& arguments);

// Returns the exit status.
int run_capture_to_file(ClientOptions options, std::vector<std::string> arguments);

}  // namespace rampart
