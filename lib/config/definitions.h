// Definitions: the `define` section, and the `$name` words that stand for its values.
//
// A name stands for one scalar or a list of scalars; a list inside a list is spliced in. Words in
// `comment` are left alone. Control thread only.
#pragma once

#include "base/diagnostics.h"
#include "base/value.h"

namespace rampart {

// The document with every `$name` replaced. A replaced scalar keeps the place where the name was
// used. Reports E020 for unknown names and W106 for unused ones.
Value expand_definitions(const Value& document, Diagnostics& diagnostics);

}  // namespace rampart
