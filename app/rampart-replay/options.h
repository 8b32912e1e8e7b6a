// Options: the command line of rampart-replay. Value type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace rampart {

struct Options {
    std::string in;
    std::string out;
    std::string config;
    std::string from;                  // interface; empty: the first one
    std::vector<std::string> sources;  // "PREFIX=INTERFACE"
    std::string flows;                 // file, "-" for stdout; empty: no list
    bool verdicts = false;
    bool json = false;
    uint32_t burst = 1;
};

// Prints help, the version or the mistake itself; none: end with `exit_status`.
std::optional<Options> parse_options(int argc, char** argv, int& exit_status);

// Refuses outputs that would overwrite an input or each other.
Result<void> check_paths(const Options& options);

}  // namespace rampart
