// What `drops` prints, as pure functions of the totals.
#pragma once

#include <string>

#include "control/json.h"
#include "control/stats.h"

namespace rampart {

// Every reason, zeros included.
Json drops_to_json(const Totals& totals, bool with_invalid);
// Only reasons that happened, unless `all`.
std::string drops_to_text(const Totals& totals, bool all, bool with_invalid);

}  // namespace rampart
