// Targets of the nat table. What they become is an entry of `nat:`, which has its own lists.

#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "import/modules/registry.h"
#include "import/values.h"

namespace rampart {

namespace {

constexpr OptionType kNatTypes[] = {
    {"--to-source", "", 1, false},  {"--to-destination", "", 1, false},
    {"--to-ports", "", 1, false},   {"--to", "", 1, false},
    {"--random", "", 0, false},     {"--random-fully", "", 0, false},
    {"--persistent", "", 0, false},
};

// The address of "192.0.2.1:80" or "[2001:db8::1]:80", and the rest.
struct Endpoint {
    std::string address;
    std::string ports;
};

Endpoint split_endpoint(std::string_view text) {
    if (text.starts_with('[')) {
        const size_t end = std::min(text.find(']'), text.size());
        const std::string_view rest = text.substr(std::min(end + 1, text.size()));
        return {std::string(text.substr(1, end - 1)),
                std::string(rest.starts_with(':') ? rest.substr(1) : rest)};
    }
    const bool is_ipv6 = std::count(text.begin(), text.end(), ':') > 1;
    const size_t colon = is_ipv6 ? text.npos : text.find(':');
    if (colon == text.npos) return {std::string(text), {}};
    return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

std::string options_of(const ModuleUse& use) {
    std::string text;
    if (use.has("--random") || use.has("--random-fully")) text += ", random: fully";
    if (use.has("--persistent")) text += ", persistent: true";
    return text;
}

void translate_dnat(const ModuleUse& use, RuleDraft& draft) {
    Endpoint to = split_endpoint(use.word("--to-destination"));
    if (to.address.empty()) {  // ":80" leaves the address as it is
        if (to.ports.find('/') != to.ports.npos)
            return draft.refuse("shifted ports need an address here");
        return draft.refuse("a destination without an address has no counterpart",
                            "REDIRECT --to-ports translates to this box");
    }
    // "8000-8009/9000": port 9000 becomes 8000, and so on.
    const size_t slash = to.ports.find('/');
    std::string options = options_of(use);
    if (slash != to.ports.npos) {
        to.ports.resize(slash);
        options += ", shift: true";
    }
    std::string text = to.address;
    if (!to.ports.empty())
        text = to.address.find(':') == to.address.npos ? fmt::format("{}:{}", text, to.ports)
                                                       : fmt::format("[{}]:{}", text, to.ports);
    if (options.empty()) return draft.verdict("dnat", text);
    draft.verdict_flow("dnat", fmt::format("{{ to: {}{} }}", yaml_word(text), options));
}

void translate_snat(const ModuleUse& use, RuleDraft& draft) {
    const Endpoint to = split_endpoint(use.word("--to-source"));
    const std::string options = options_of(use);
    if (to.ports.empty() && options.empty()) return draft.verdict("snat", to.address);
    std::string text = "{ to: " + yaml_word(to.address);
    if (!to.ports.empty()) text += ", ports: " + to.ports;
    draft.verdict_flow("snat", text + options + " }");
}

void translate_masquerade(const ModuleUse& use, RuleDraft& draft) {
    const std::string_view ports = use.word("--to-ports");
    const std::string options = options_of(use);
    if (ports.empty() && options.empty()) return draft.verdict("masquerade", "true");
    std::string text;
    if (!ports.empty()) text += fmt::format(", ports: {}", ports);
    text += options;
    draft.verdict_flow("masquerade", "{ " + text.substr(2) + " }");
}

void translate_redirect(const ModuleUse& use, RuleDraft& draft) {
    const std::string options = options_of(use);
    if (!use.has("--to-ports")) {
        if (options.empty()) return draft.verdict("redirect", "true");
        return draft.verdict_flow("redirect", fmt::format("{{ {} }}", options.substr(2)));
    }
    const std::string_view ports = use.word("--to-ports");
    if (options.empty()) return draft.verdict("redirect", ports);
    draft.verdict_flow("redirect", fmt::format("{{ ports: {}{} }}", ports, options));
}

void translate_netmap(const ModuleUse& use, RuleDraft& draft) {
    draft.verdict("netmap", use.word("--to"));
}

}  // namespace

const Module kTargetSnatOptions = {"SNAT", kNatTypes, translate_snat, {}};
const Module kTargetDnatOptions = {"DNAT", kNatTypes, translate_dnat, {}};
const Module kTargetMasqueradeOptions = {"MASQUERADE", kNatTypes, translate_masquerade, {}};
const Module kTargetRedirectOptions = {"REDIRECT", kNatTypes, translate_redirect, {}};
const Module kTargetNetmapOptions = {"NETMAP", kNatTypes, translate_netmap, {}};

}  // namespace rampart
