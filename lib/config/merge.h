// Merge: the documents of a configuration become one.
//
// Sections that hold names (`define`, `interfaces`, `zones`, `sets`, `chains`) are united; a name
// that two files define is RP-E021 with both places. Any other section stands in one file. Control
// thread only.
#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "base/value.h"

namespace rampart {

// `documents` are mappings, the including file first.
Value merge_documents(std::vector<Value> documents, Diagnostics& diagnostics);

}  // namespace rampart
