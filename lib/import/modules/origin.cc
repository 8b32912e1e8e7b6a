// Where a packet comes from and how it was addressed: ports of a bridge, kinds of addresses.

#include <algorithm>

#include <fmt/format.h>

#include "import/modules/registry.h"
#include "import/values.h"

namespace rampart {

namespace {

constexpr OptionType kPkttypeTypes[] = {{"--pkt-type", "", 1, true}};

void translate_pkttype(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options)
        draft.match("pkt_type", {lower_case(option.word())}, option.negated);
}

constexpr OptionType kAddrtypeTypes[] = {
    {"--src-type", "", 1, true},
    {"--dst-type", "", 1, true},
    {"--limit-iface-in", "", 0, false},
    {"--limit-iface-out", "", 0, false},
};

// Multicast is a property of the address, on a bridge as well; all other types depend on the box's
// own addresses.
void translate_addrtype(const ModuleUse& use, RuleDraft& draft) {
    constexpr std::string_view kTypes[] = {"LOCAL", "BROADCAST", "MULTICAST", "UNICAST"};
    for (const OptionUse& option : use.options) {
        if (option.words.empty())
            return draft.refuse("addresses of one interface have no counterpart");
        const std::string key(option.type->name.substr(2, 3));
        if (option.word() == "MULTICAST") {
            draft.match(key, {draft.family() == Family::Ipv6 ? "ff00::/8" : "224.0.0.0/4"},
                        option.negated);
            continue;
        }
        std::vector<std::string> words;
        for (const std::string& word : split_list(option.word())) {
            if (std::find(std::begin(kTypes), std::end(kTypes), word) == std::end(kTypes))
                return draft.refuse(fmt::format("the address type {} has no counterpart", word));
            words.push_back(lower_case(word));
        }
        draft.match(key + "_type", std::move(words), option.negated);
    }
}

constexpr OptionType kPhysdevTypes[] = {
    {"--physdev-in", "", 1, true},         {"--physdev-out", "", 1, true},
    {"--physdev-is-in", "", 0, true},      {"--physdev-is-out", "", 0, true},
    {"--physdev-is-bridged", "", 0, true},
};

// A bridge port is an interface of Rampart's; everything that passes is bridged.
void translate_physdev(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        if (option.words.empty()) {
            if (option.negated)
                draft.never_matches("every packet passes between two ports of a bridge");
            continue;
        }
        std::string name = option.word();
        if (name.ends_with('+')) name.back() = '*';
        draft.match(option.type->name == "--physdev-in" ? "in" : "out", {name}, option.negated);
    }
}

constexpr OptionType kRpfilterTypes[] = {
    {"--loose", "", 0, false},
    {"--validmark", "", 0, false},
    {"--accept-local", "", 0, false},
    {"--invert", "", 0, false},
};

// `check: rpf` matches what fails the check, as `--invert` does.
void translate_rpfilter(const ModuleUse& use, RuleDraft& draft) {
    if (use.has("--validmark") || use.has("--accept-local"))
        return draft.refuse("the options of this reverse path check have no counterpart");
    draft.match("check", {use.has("--loose") ? "rpf_loose" : "rpf"}, !use.has("--invert"));
}

}  // namespace

const Module kMatchPkttype = {"pkttype", kPkttypeTypes, translate_pkttype, {}};
const Module kMatchAddrtype = {"addrtype", kAddrtypeTypes, translate_addrtype, {}};
const Module kMatchPhysdev = {"physdev", kPhysdevTypes, translate_physdev, {}};
const Module kMatchRpfilter = {"rpfilter", kRpfilterTypes, translate_rpfilter, {}};

}  // namespace rampart
