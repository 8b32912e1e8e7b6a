// What nft says about translations and routes: snat, dnat, masquerade and redirect as targets, fib
// as matches of the language. One thread.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "import/rule_draft.h"

namespace rampart {

// `value`: what `nft -j` prints beside the name; not always an object.
void read_nft_translation(const std::string& name, const nlohmann::json& value, RuleDraft& draft);

// `fib daddr type local`, `fib saddr . iif oif missing`; `op`: of the comparison with `right`.
void read_nft_fib(const nlohmann::json& fib, const std::string& op, const nlohmann::json& right,
                  RuleDraft& draft);

}  // namespace rampart
