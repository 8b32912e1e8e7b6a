// What a rule is called that was not given an id: a hash of its text within its chain, the same for
// every release. Control thread.
#pragma once

#include <string>
#include <string_view>

namespace rampart {

// Equal rules of a chain are told apart by `repeat`, counted from 1.
std::string derived_rule_id(std::string_view chain, std::string_view text, unsigned repeat);

}  // namespace rampart
