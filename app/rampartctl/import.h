// `rampartctl import`: rules of iptables or nft become a configuration, here, without a daemon.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace rampart {

// Exit status 0; 2 for wrong usage; 4 when something cannot be imported, and then nothing is
// written; 1 when the result cannot be written.
int run_import(const std::vector<std::string>& arguments);

// Names ("-o,--output") and help of its options.
std::vector<std::pair<std::string, std::string>> import_options();

}  // namespace rampart
