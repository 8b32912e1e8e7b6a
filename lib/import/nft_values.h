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

// `limit rate 10/second burst 5 packets` in the words of `limit`.
struct NftLimit {
    std::string rate;
    std::string burst;
};
// A bucket of bytes holds there what the unit of time brings, and the burst on top; here what is
// called burst. Nothing: the language cannot say this.
std::optional<NftLimit> nft_limit(const nlohmann::json& limit);

}  // namespace rampart
