#include "import/nft_values.h"

#include <fmt/format.h>

#include "import/values.h"
#include "rules/limit_rate.h"

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

namespace {

constexpr uint64_t kMostRate = uint64_t{1} << 40;

// Of "bytes", "kbytes" and "mbytes"; 0 for another.
uint64_t bytes_of_unit(const std::string& unit) {
    if (unit == "bytes") return 1;
    if (unit == "kbytes") return 1024;
    return unit == "mbytes" ? 1024 * 1024 : 0;
}

}  // namespace

std::optional<NftLimit> nft_limit(const json& limit) {
    const std::string unit = limit.value("rate_unit", "packets");
    const auto amount = limit.at("rate").get<uint64_t>();
    const std::string per = limit.value("per", "second");
    if (unit == "packets") {
        const auto rate = rate_word(fmt::format("{}/{}", amount, per));
        if (!rate) return std::nullopt;
        return NftLimit{*rate, std::to_string(limit.value("burst", uint64_t{5}))};
    }
    if (amount > kMostRate) return std::nullopt;
    const uint64_t factor = bytes_of_unit(unit);
    const uint64_t burst_factor = bytes_of_unit(limit.value("burst_unit", "bytes"));
    const auto rate = parse_limit_rate(fmt::format("{}B/{}", amount * factor, per));
    const uint64_t held = amount * factor + limit.value("burst", uint64_t{0}) * burst_factor;
    if (factor == 0 || burst_factor == 0 || !rate || held < kMinBurstBytes) return std::nullopt;
    return NftLimit{print_limit_rate(*rate), print_burst(held, *rate)};
}

}  // namespace rampart
