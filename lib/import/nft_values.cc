#include "import/nft_values.h"

#include <fmt/format.h>

namespace rampart {

using nlohmann::json;

std::optional<std::string> nft_word(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_integer()) return std::to_string(value.get<int64_t>());
    if (value.is_boolean()) return std::string(value.get<bool>() ? "true" : "false");
    if (!value.is_object()) return std::nullopt;
    if (value.contains("elem")) return nft_word(value["elem"].at("val"));
    if (value.contains("prefix")) {
        const json& prefix = value["prefix"];
        const auto address = nft_word(prefix.at("addr"));
        if (!address) return std::nullopt;
        return fmt::format("{}/{}", *address, prefix.at("len").get<int>());
    }
    if (value.contains("range")) {
        const auto first = nft_word(value["range"].at(0));
        const auto last = nft_word(value["range"].at(1));
        if (!first || !last) return std::nullopt;
        return fmt::format("{}-{}", *first, *last);
    }
    return std::nullopt;
}

std::optional<std::vector<std::string>> nft_words(const json& value) {
    const json* items = nullptr;
    if (value.is_array()) items = &value;
    if (value.is_object() && value.contains("set")) items = &value["set"];
    if (value.is_object() && value.contains("|")) items = &value["|"];
    std::vector<std::string> words;
    if (items == nullptr || !items->is_array()) {
        auto word = nft_word(items == nullptr ? value : *items);
        if (!word) return std::nullopt;
        return std::vector<std::string>{std::move(*word)};
    }
    for (const json& item : *items) {
        auto word = nft_word(item);
        if (!word) return std::nullopt;
        words.push_back(std::move(*word));
    }
    return words;
}

}  // namespace rampart
