// Words: what the parsers and printers of matches and targets share.
//
// A match takes one scalar or a list of them; printing gives back a form that parses to the same.
// Control thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/match.h"

namespace rampart {

// The scalars of a value that is one or a list of them. Anything else is reported ("'src' takes
// WANTED or a list, not a mapping") and gives nothing.
std::vector<const Value*> scalars_of(const Value& value, std::string_view wanted,
                                     ParseContext& context);

// "a" or "[a, b]", with quotes where YAML needs them.
std::string print_words(const std::vector<std::string>& words);
std::string print_word(std::string_view word);

// A position in `names` as a bit of the result; reports E007 "unknown WHAT 'word'" with a hint.
// 0 when anything was reported.
uint32_t parse_word_set(const Value& value, std::string_view what,
                        const std::vector<std::string_view>& names, ParseContext& context);
std::string print_word_set(uint32_t set, const std::vector<std::string_view>& names);

}  // namespace rampart
