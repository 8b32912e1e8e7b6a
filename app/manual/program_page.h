// What the manual pages of all programs have: the options, as CLI11 knows them, and the exit
// status. Pure, any thread.
#pragma once

#include <CLI/CLI.hpp>

#include "manual/page.h"

namespace rampart {

// Options of `app`, without those that have no help.
void add_options(Page& page, const CLI::App& app);

}  // namespace rampart
