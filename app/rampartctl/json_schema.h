// The JSON schema (draft 07) of configuration files, for editors and other tools.
//
// Rendered from the tables that the loader uses: config/schema.h, the registries of matches and
// targets, the timeouts. It knows keys, kinds of values and choices; what a value means is left to
// `rampartctl check`. Keys that are not built yet are not in it. Pure, any thread.
#pragma once

#include <string>

namespace rampart {

std::string render_json_schema();

}  // namespace rampart
