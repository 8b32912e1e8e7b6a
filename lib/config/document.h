// Document: a YAML text becomes a Value tree, read strictly (design decision D9).
//
// Only mappings, lists and scalars come through. Anchors, aliases, tags, merge keys, duplicate keys
// and a second document are reported; a node that was refused is left out together with the rule
// around it, so that it causes no further messages. Nesting and size are bounded. document.cc is
// the only file that knows yaml-cpp, and its exceptions end there. Control thread only.
#pragma once

#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "base/value.h"

namespace rampart {

inline constexpr unsigned kMaxNesting = 32;
inline constexpr size_t kMaxNodes = 4'000'000;

// Whether a text without any value is an error, or null.
enum class Emptiness : uint8_t { Refused, Allowed };

// `path` is only used in messages. Nothing when the text is no document at all; otherwise the
// readable part of it, with errors in `diagnostics`.
std::optional<Value> read_document(std::string path, std::string text, Diagnostics& diagnostics,
                                   Emptiness emptiness = Emptiness::Refused);

}  // namespace rampart
