#include "import/nft_translation.h"

#include <algorithm>

#include <fmt/format.h>

#include "import/nft_values.h"
#include "import/values.h"

namespace rampart {

namespace {

using nlohmann::json;

// "random", or a list of such words.
std::string nft_nat_flags(const json& value) {
    const json flags = value.is_object() ? value.value("flags", json::array()) : json::array();
    const auto has = [&flags](const char* word) {
        return flags == word ||
               (flags.is_array() && std::find(flags.begin(), flags.end(), word) != flags.end());
    };
    std::string text;
    if (has("random") || has("fully-random")) text += ", random: fully";
    if (has("persistent")) text += ", persistent: true";
    return text;
}

}  // namespace

void read_nft_translation(const std::string& name, const json& value, RuleDraft& draft) {
    const bool has_port = value.is_object() && value.contains("port");
    const bool has_address = value.is_object() && value.contains("addr");
    const auto port = has_port ? nft_word(value["port"]) : std::optional<std::string>("");
    const auto address = has_address ? nft_word(value["addr"]) : std::optional<std::string>("");
    const bool needs_address = name == "snat" || name == "dnat";
    if (!port || !address || has_address != needs_address || address->find('/') != address->npos)
        return draft.refuse(fmt::format("this form of '{}' has no counterpart", name));
    std::string options = nft_nat_flags(value);
    if (const size_t persistent = options.find(", persistent");
        persistent != options.npos && !needs_address) {
        options.resize(persistent);
        draft.remark_once("'persistent' says nothing where there is one address, and is left out");
    }
    std::string to = *address;
    if (name == "dnat" && has_port)
        to = fmt::format(fmt::runtime(to.find(':') == to.npos ? "{}:{}" : "[{}]:{}"), to, *port);
    const bool has_pool = has_port && name != "dnat";
    if (name == "redirect" && options.empty())
        return draft.verdict(name, has_pool ? *port : "true");
    if (options.empty() && !has_pool) return draft.verdict(name, needs_address ? to : "true");
    std::string text;
    if (needs_address) text += ", to: " + yaml_word(to);
    if (has_pool) text += ", ports: " + *port;
    text += options;
    draft.verdict_flow(name, "{ " + text.substr(2) + " }");
}

void read_nft_fib(const json& fib, const std::string& op, const json& right, RuleDraft& draft) {
    const std::string result = fib.value("result", "");
    std::vector<std::string> flags = fib.value("flags", std::vector<std::string>{});
    std::sort(flags.begin(), flags.end());
    std::erase(flags, "mark");  // no route here depends on it
    const bool negated = op == "!=";
    const bool is_of_address = flags.size() == 1 && (flags[0] == "saddr" || flags[0] == "daddr");
    if (result == "type" && is_of_address) {
        constexpr std::string_view kTypes[] = {"local", "broadcast", "multicast", "unicast"};
        auto words = nft_words(right);
        const bool is_known =
            words && std::all_of(words->begin(), words->end(), [&](const std::string& word) {
                return std::find(std::begin(kTypes), std::end(kTypes), word) != std::end(kTypes);
            });
        if (is_known)
            return draft.match(flags[0] == "saddr" ? "src_type" : "dst_type", std::move(*words),
                               negated);
    }
    // "missing" is false to nft.
    const bool is_strict = flags == std::vector<std::string>{"iif", "saddr"};
    const bool is_loose = flags == std::vector<std::string>{"saddr"};
    if ((result == "oif" || result == "oifname") && (is_strict || is_loose) && right.is_boolean())
        return draft.match("check", {is_strict ? "rpf" : "rpf_loose"},
                           negated != right.get<bool>());
    draft.refuse("this question to the routes has no counterpart");
}

}  // namespace rampart
