#include "control/iptables_rates.h"

#include <algorithm>

#include <fmt/format.h>

#include "control/iptables_words.h"

namespace rampart {

namespace {

constexpr size_t kMaxTableName = 15;  // of a hashlimit

struct Rate {
    std::string rate;
    std::string burst;
};

// "10/second burst 20", or the fields of a mapping.
Rate rate_of(const std::string& printed) {
    Rate rate{field_of(printed, "rate"), field_of(printed, "burst")};
    if (rate.rate.empty()) {
        const size_t at = printed.find(" burst ");
        rate.rate = printed.substr(0, at);
        if (at != printed.npos) rate.burst = printed.substr(at + 7);
    }
    if (rate.burst.empty()) rate.burst = "5";
    return rate;
}

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// "srcip,dstport"; nothing for what iptables cannot count by.
std::optional<std::string> modes_of(const std::string& per) {
    std::string modes;
    if (per.empty()) return modes;
    for (const std::string& word : words_of(per)) {
        if (word == "in") return std::nullopt;
        modes += (modes.empty() ? "" : ",") + word + (word.ends_with("port") ? "" : "ip");
    }
    return modes;
}

}  // namespace

std::optional<std::string> limit_match(const std::string& printed, bool negated, Family family,
                                       std::string_view id) {
    const Rate rate = rate_of(printed);
    const bool is_over = field_of(printed, "over") == "true";
    const auto modes = modes_of(field_of(printed, "per"));
    const bool is_packets = is_number(rate.rate.substr(0, rate.rate.find('/')));
    if (negated || !modes || !is_packets || !field_of(printed, "max").empty()) return std::nullopt;
    if (modes->empty() && !is_over)
        return fmt::format("-m limit --limit {} --limit-burst {}", rate_text(rate.rate),
                           rate.burst);
    std::string text = fmt::format("-m hashlimit --hashlimit-{} {} --hashlimit-burst {}",
                                   is_over ? "above" : "upto", rate_text(rate.rate), rate.burst);
    if (!modes->empty()) text += " --hashlimit-mode " + *modes;
    const std::string mask = field_of(printed, family == Family::Ipv4 ? "mask" : "mask6");
    for (const std::string_view end : {"src", "dst"}) {
        if (!mask.empty() && modes->find(fmt::format("{}ip", end)) != modes->npos)
            text += fmt::format(" --hashlimit-{}mask {}", end, mask);
    }
    return fmt::format("{} --hashlimit-name {}", text, id.substr(0, kMaxTableName));
}

std::optional<std::string> connlimit_match(const std::string& printed, bool negated,
                                           Family family) {
    const std::string per = field_of(printed, "per");
    const auto keys = words_of(per.empty() ? "[src]" : per);
    if (keys.size() != 1 || (keys[0] != "src" && keys[0] != "dst")) return std::nullopt;
    const bool is_v4 = family == Family::Ipv4;
    std::string mask = field_of(printed, is_v4 ? "mask" : "mask6");
    if (mask.empty()) mask = is_v4 ? "32" : "128";
    return fmt::format(
        "-m connlimit {}--connlimit-above {} --connlimit-mask {} "
        "--connlimit-{}addr",
        negated ? "! " : "", field_of(printed, "above"), mask, keys[0][0]);
}

}  // namespace rampart
