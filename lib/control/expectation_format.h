// Expectations as `conntrack -L expect` prints them.
//
// Byte for byte the lines of conntrack-tools 1.4.7. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>

#include "conntrack/expectation.h"

namespace rampart {

// What of its tuple must be equal, as a tuple of ones and zeros.
Tuple mask_of(const Expectation& expectation);

// Without a newline.
std::string format_expectation(const Expectation& expectation, uint32_t timeout_s);

}  // namespace rampart
