// Values of nft in JSON, as words of the language: addresses, prefixes, ranges, lists.
// Throws nlohmann::json::exception when the shape is none of nft's. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rampart {

// The word of one value; a number in decimal. Nothing for what has no word.
std::optional<std::string> nft_word(const nlohmann::json& value);
// The words of a value, a list or an anonymous set; "@name" for a named one.
std::optional<std::vector<std::string>> nft_words(const nlohmann::json& value);

}  // namespace rampart
