// snat, dnat, masquerade and redirect of nft as targets of the language. One thread.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "import/rule_draft.h"

namespace rampart {

// `value`: what `nft -j` prints beside the name; not always an object.
void read_nft_translation(const std::string& name, const nlohmann::json& value, RuleDraft& draft);

}  // namespace rampart
