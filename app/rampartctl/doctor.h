// `rampartctl doctor [FILE]`: whether this machine is fit for a configuration. Needs no daemon and
// changes nothing.
#pragma once

#include <string>
#include <vector>

namespace rampart {

// Exit status 0, 1 when a check failed, 2 wrong usage, 4 when the file has errors.
int run_doctor(const std::vector<std::string>& arguments, bool json);

}  // namespace rampart
