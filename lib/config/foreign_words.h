// Words that people bring along from other firewalls, and what they are called here.
//
// They are errors, never aliases: the hint teaches the word. Constant, any thread.
#pragma once

#include <string_view>

namespace rampart {

// The key of a rule that is meant by `word`, or empty. Case and '-' against '_' do not matter.
std::string_view own_rule_key(std::string_view word);
// The action that is meant by `word`, or empty.
std::string_view own_action(std::string_view word);

}  // namespace rampart
