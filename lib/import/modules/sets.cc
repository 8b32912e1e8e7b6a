// Sets: `-m set`, `-j SET` and the lists of `-m recent`.

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "base/scalar.h"
#include "import/modules/registry.h"
#include "import/set_catalogue.h"
#include "import/values.h"

namespace rampart {

namespace {

// Null: refused.
ImportedSet* usable_set(std::string_view name, RuleDraft& draft) {
    ImportedSet* set = draft.sets().find(name);
    if (set == nullptr) {
        draft.refuse(fmt::format("what is in the set {} is not known", quoted(name)),
                     "save the sets with `ipset save` and give them with --ipset-file");
        return nullptr;
    }
    if (!set->refusal.empty()) {
        draft.refuse(fmt::format("set {}: {}", quoted(name), set->refusal));
        return nullptr;
    }
    return set;
}

constexpr OptionType kSetTypes[] = {
    {"--match-set", "", 2, true},       {"--return-nomatch", "", 0, true},
    {"--update-counters", "", 0, true}, {"--update-subcounters", "", 0, true},
    {"--packets-eq", "", 1, true},      {"--packets-lt", "", 1, false},
    {"--packets-gt", "", 1, false},     {"--bytes-eq", "", 1, true},
    {"--bytes-lt", "", 1, false},       {"--bytes-gt", "", 1, false},
};

// The key that looks a set of one field up, by which end of the packet it looks at.
std::string_view key_of(std::string_view type, bool is_source) {
    if (type == "ip" || type == "net") return is_source ? "src" : "dst";
    if (type == "port") return is_source ? "sport" : "dport";
    if (type == "mac" && is_source) return "mac_src";
    return {};
}

void translate_match_set(const OptionUse& option, RuleDraft& draft) {
    const ImportedSet* set = usable_set(option.word(), draft);
    if (set == nullptr) return;
    const std::string reference = "@" + option.word();
    const std::string& flags = option.words[1];
    const std::string_view key = key_of(set->type, flags == "src");
    if (!key.empty() && (flags == "src" || flags == "dst"))
        return draft.match(key, {reference}, option.negated);
    // The language's own reading of such a set is the destination.
    if (set->type == "ip,proto,port" && flags == "dst,dst")
        return draft.match("match", {reference}, option.negated);
    if (set->type == "net,net" && flags == "src,dst")
        return draft.match("match", {reference}, option.negated);
    draft.refuse(fmt::format("{} of a set of the type {} is not imported", quoted(flags),
                             quoted(set->type)));
}

void translate_set(const ModuleUse& use, RuleDraft& draft) {
    for (const OptionUse& option : use.options) {
        if (option.type->name == "--match-set")
            translate_match_set(option, draft);
        else
            draft.refuse(fmt::format("'{}' has no counterpart", option.type->name));
    }
}

constexpr OptionType kSetTargetTypes[] = {
    {"--add-set", "", 2, false}, {"--del-set", "", 2, false}, {"--map-set", "", 2, false},
    {"--exist", "", 0, false},   {"--timeout", "", 1, false},
};

void translate_set_target(const ModuleUse& use, RuleDraft& draft) {
    const OptionUse* add = use.find("--add-set");
    if (add == nullptr || use.has("--del-set") || use.has("--map-set"))
        return draft.refuse("of the SET target only '--add-set' has a counterpart");
    ImportedSet* set = usable_set(add->word(), draft);
    if (set == nullptr) return;
    const std::string_view key = key_of(set->type, add->words[1] == "src");
    if (key.empty()) return draft.refuse("rules add to sets of single addresses and ports only");
    set->is_dynamic = true;
    const auto seconds = parse_number(use.word("--timeout", "0"));
    if (!seconds) return draft.refuse("this is no timeout");
    std::string text = fmt::format("{{ set: {}, key: {}", yaml_word(add->word()), key);
    if (*seconds != 0) text += ", timeout: " + format_duration(*seconds);
    draft.statement_flow("add_to", text + " }");
}

constexpr OptionType kRecentTypes[] = {
    {"--set", "", 0, true},      {"--rcheck", "", 0, true},   {"--update", "", 0, true},
    {"--remove", "", 0, true},   {"--seconds", "", 1, false}, {"--hitcount", "", 1, false},
    {"--rttl", "", 0, false},    {"--reap", "", 0, false},    {"--name", "", 1, false},
    {"--rsource", "", 0, false}, {"--rdest", "", 0, false},   {"--mask", "", 1, false},
};

std::string set_name_of(std::string_view list) {
    std::string name = "recent-" + std::string(list);
    std::replace_if(
        name.begin(), name.end(),
        [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-';
        },
        '_');
    return name;
}

// A list of recent addresses is a dynamic set whose elements time out. That has no counts, and one
// timeout for all that ask.
void translate_recent(const ModuleUse& use, RuleDraft& draft) {
    if (use.has("--hitcount") || use.has("--rttl") || use.has("--remove"))
        return draft.refuse("a set of recent addresses has no counts and no TTL",
                            "to count by source, use 'limit' with 'per: [src]'");
    const std::string_view mask = use.word("--mask", "255.255.255.255");
    const bool is_all = mask == "255.255.255.255" || mask.starts_with("ffff:ffff:ffff:ffff:ffff");
    if (!is_all) return draft.refuse("a set of recent addresses has single addresses only");
    const std::string name = set_name_of(use.word("--name", "DEFAULT"));
    const std::string_view key = use.has("--rdest") ? "dst" : "src";
    const bool is_set = use.has("--set");
    ImportedSet* set = draft.sets().find(name);
    if (set == nullptr) {
        ImportedSet made;
        made.type = "ip";
        made.is_dynamic = true;
        draft.sets().add(name, made);
        set = draft.sets().find(name);
    }
    if (!is_set) {
        const auto seconds = parse_number(use.word("--seconds", "0"));
        if (!seconds || *seconds == 0)
            return draft.refuse("an address that stays for ever needs a set of your own",
                                "without --seconds nothing leaves the list");
        const std::string timeout = format_duration(*seconds);
        if (!set->timeout.empty() && set->timeout != timeout)
            return draft.refuse(
                fmt::format("another rule keeps addresses of this list for {}", set->timeout));
        set->timeout = timeout;
        const OptionUse* check = use.find("--rcheck");
        if (check == nullptr) check = use.find("--update");
        draft.match(key, {"@" + name}, check != nullptr && check->negated);
    }
    if (is_set || use.has("--update"))
        draft.statement_flow("add_to", fmt::format("{{ set: {}, key: {} }}", yaml_word(name), key));
}

}  // namespace

const Module kMatchSetOptions = {"set", kSetTypes, translate_set, {}};
const Module kMatchRecent = {"recent", kRecentTypes, translate_recent, {}};
const Module kTargetSetOptions = {"SET", kSetTargetTypes, translate_set_target, {}};

}  // namespace rampart
