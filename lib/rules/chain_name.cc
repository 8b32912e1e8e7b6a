#include "rules/chain_name.h"

#include <fmt/format.h>

#include "rules/target.h"

namespace rampart {

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

std::string hint_of(const std::string& name, const Names& names) {
    const std::string action = lower(name);
    if (find_action(action) != nullptr) return fmt::format("write  action: {}", action);
    std::vector<std::string_view> known;
    for (const std::string_view chain : names.chain_names()) {
        if (hook_of_chain(chain) == Hook::None) known.push_back(chain);
    }
    std::string hint = did_you_mean(name, known);
    if (!hint.empty()) return hint;
    if (known.empty()) return "there is no user chain in this configuration";
    return "known chains: " + listed(known);
}

}  // namespace

Hook hook_of_chain(std::string_view name) noexcept {
    for (const Hook hook : kHooks) {
        if (to_string(hook) == name) return hook;
    }
    return Hook::None;
}

std::optional<uint16_t> parse_chain_name(const Value& value, ParseContext& context) {
    if (!value.is_scalar()) {
        context.diagnostics.error(
            "E005", value.location(),
            fmt::format("expected the name of a chain, found {}", value.kind_name()));
        return std::nullopt;
    }
    const std::string& name = value.text();
    if (hook_of_chain(name) != Hook::None) {
        context.diagnostics.error("E013", value.location(),
                                  fmt::format("{} is the chain of a hook", quoted(name)),
                                  "only user chains can be jumped to");
        return std::nullopt;
    }
    const int chain = context.names.find_chain(name);
    if (chain < 0) {
        context.diagnostics.error("E013", value.location(),
                                  fmt::format("no chain named {}", quoted(name)),
                                  hint_of(name, context.names));
        return std::nullopt;
    }
    return static_cast<uint16_t>(chain);
}

}  // namespace rampart
