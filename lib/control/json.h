// Json: the document type of the control interface. Keys keep the order in which they are written,
// which is the order that documentation and people know.
#pragma once

#include <nlohmann/json.hpp>

namespace rampart {

using Json = nlohmann::ordered_json;

}  // namespace rampart
