// Top screen: the pages of `top` on a terminal, one over the other (ncurses). q ends it.
#pragma once

#include <string>
#include <vector>

#include "client.h"

namespace rampart {

// Somebody looks on, and did not ask for pages in a row, JSON or help.
bool wants_screen(const std::vector<std::string>& arguments, bool json);

// Returns the exit status.
int run_top_on_screen(const ClientOptions& options, const std::vector<std::string>& arguments);

}  // namespace rampart
