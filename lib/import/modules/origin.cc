// Where a packet comes from and how it was addressed: ports of a bridge, kinds of addresses.

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

// Multicast is a property of the address; all other types depend on the box's own addresses.
void translate_addrtype(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        if (option.words.empty() || option.word() != "MULTICAST") {
            draft.refuse("which addresses are the box's own, or broadcast, is not built yet",
                         "it comes with routed mode; a transparent bridge has no addresses");
            return;
        }
        draft.match(option.type->name == "--src-type" ? "src" : "dst",
                    {draft.family() == Family::Ipv6 ? "ff00::/8" : "224.0.0.0/4"}, option.negated);
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
