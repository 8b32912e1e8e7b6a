// The bytes of a configuration file, checked before a YAML parser sees them.
//
// Refuses what hides something from the reader of the file (NUL, control characters, invalid UTF-8,
// bidirectional overrides, a CR that ends no line).
// Control thread only.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/diagnostics.h"

namespace rampart {

// Reports the first offence as RP-E001; `file` is the source's index in `diagnostics`.
bool check_source_text(std::string_view text, uint32_t file, Diagnostics& diagnostics);

}  // namespace rampart
