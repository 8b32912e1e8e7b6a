#include "import/nft_ruleset.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "import/nft_expressions.h"
#include "import/nft_values.h"
#include "import/set_catalogue.h"

namespace rampart {

namespace {

using nlohmann::json;

// Base chains of prerouting stand before tracking or between it and the translation of
// destinations. Both become `raw`: what asks for the state of a flow is refused there.
constexpr int kTranslationPriority = -100;

struct BaseChain {
    std::string name;  // in the document
    std::string hook;  // of the language
    int priority = 0;
    std::string policy;
    Origin origin;
};

// What one family of tables (ip, ip6 or inet) has.
struct TableFamily {
    Family family = Family::None;
    ImportedDocument document;
    std::vector<BaseChain> bases;
};

class NftReader {
  public:
    NftReader(const std::string& path, const json& list, ChainNames& names, DraftContext context);

    ImportedDocument run();

  private:
    const json* member(size_t index, const char* kind) const;
    Origin origin_of(size_t index) const { return {file_, static_cast<uint32_t>(index + 1)}; }
    void read_chain(size_t index, const json& chain);
    void read_rule(size_t index, const json& rule);
    void read_set(size_t index, const json& set);
    ImportedChain* find_base(TableFamily& family, const std::string& key);
    void join(TableFamily& family, const std::string& hook);
    TableFamily* family_of(const json& object);
    static std::string key_of(const json& object, const char* name);

    const json& list_;
    ChainNames& names_;
    DraftContext context_;
    uint32_t file_;
    std::map<std::string, TableFamily> families_;
    std::map<std::string, std::string> helpers_;  // family, table and object: the helper's name
    std::map<std::string, std::string> places_;   // family, table and chain: name in the document
};

NftReader::NftReader(const std::string& path, const json& list, ChainNames& names,
                     DraftContext context)
    : list_(list), names_(names), context_(context) {
    std::string lines;
    for (const json& object : list)
        lines += object.dump(-1, ' ', true, json::error_handler_t::replace) + '\n';
    file_ = context.report.add_source(path, lines);
    families_["ip"].family = Family::Ipv4;
    families_["ip6"].family = Family::Ipv6;
    families_["inet"].family = Family::None;
}

const json* NftReader::member(size_t index, const char* kind) const {
    const json& object = list_[index];
    return object.is_object() && object.contains(kind) ? &object[kind] : nullptr;
}

std::string NftReader::key_of(const json& object, const char* name) {
    return fmt::format("{} {} {}", object.value("family", ""), object.value("table", ""),
                       object.value(name, ""));
}

TableFamily* NftReader::family_of(const json& object) {
    const auto found = families_.find(object.value("family", ""));
    return found == families_.end() ? nullptr : &found->second;
}

ImportedDocument NftReader::run() {
    // Names first: rules jump to chains that come later, and look sets up.
    for (size_t i = 0; i < list_.size(); ++i) {
        if (const json* chain = member(i, "chain")) read_chain(i, *chain);
        if (const json* set = member(i, "set")) read_set(i, *set);
        if (const json* helper = member(i, "ct helper"))
            helpers_[key_of(*helper, "name")] = helper->value("type", "");
    }
    for (size_t i = 0; i < list_.size(); ++i) {
        if (const json* rule = member(i, "rule")) read_rule(i, *rule);
    }
    for (auto& [name, family] : families_) {
        for (const char* hook : {"raw", "input", "forward", "output"})
            join(family, hook);
    }
    TableFamily& inet = families_["inet"];
    const bool has_own = !families_["ip"].bases.empty() || !families_["ip6"].bases.empty();
    if (has_own && !inet.bases.empty())
        context_.report.problem(inet.bases.front().origin,
                                "tables of the family inet beside tables of ip or ip6 are not "
                                "imported",
                                "what one of them accepts, another may still drop");
    if (!has_own) return std::move(inet.document);
    return combine(std::move(families_["ip"].document), std::move(families_["ip6"].document),
                   names_);
}

void NftReader::read_chain(size_t index, const json& chain) {
    TableFamily* family = family_of(chain);
    const std::string key = key_of(chain, "name");
    const std::string hook = chain.value("hook", "");
    const std::string type = chain.value("type", "");
    if (family == nullptr) return;  // its rules say so
    // ip and ip6 share the names of their chains, as iptables and ip6tables do.
    const std::string table = fmt::format("{} {}", family->family == Family::None ? "inet" : "ip",
                                          chain.value("table", ""));
    const std::string name = chain.value("name", "");
    if (hook.empty()) {
        places_[key] = names_.name_of(table, name);
        family->document.chains.push_back({places_[key], {}, {}});
        return;
    }
    const int priority = chain.value("prio", 0);
    if (type == "nat" && (hook == "prerouting" || hook == "postrouting")) {
        places_[key] = "nat." + hook;
        if (family->document.find(places_[key]) == nullptr)
            family->document.chains.push_back({places_[key], {}, {}});
        return;
    }
    const bool is_raw = hook == "prerouting" && priority < kTranslationPriority;
    const bool is_hook = hook == "input" || hook == "forward" || hook == "output";
    if (type != "filter" || (!is_raw && !is_hook)) return;
    places_[key] = names_.fresh(fmt::format("{}-{}", chain.value("table", ""), name));
    family->document.chains.push_back({places_[key], {}, {}});
    family->bases.push_back({places_[key], is_raw ? "raw" : hook, priority,
                             chain.value("policy", "accept"), origin_of(index)});
}

void NftReader::read_rule(size_t index, const json& rule) {
    TableFamily* family = family_of(rule);
    const std::string key = key_of(rule, "chain");
    const auto place = places_.find(key);
    if (family == nullptr || place == places_.end())
        return context_.report.problem(
            origin_of(index), "rules of this family, hook or priority are not imported",
            "raw, input, forward, output and nat of ip, ip6 and inet are");
    const ChainLookup chains = [&](std::string_view name) -> std::optional<std::string> {
        const auto found = places_.find(
            fmt::format("{} {} {}", rule.value("family", ""), rule.value("table", ""), name));
        if (found == places_.end()) return std::nullopt;
        return found->second;
    };
    json expressions = rule.value("expr", json::array());
    for (json& expression : expressions) {
        // An object stands for a helper and its protocol.
        if (!expression.is_object() || !expression.contains("ct helper")) continue;
        const auto helper =
            helpers_.find(fmt::format("{} {} {}", rule.value("family", ""), rule.value("table", ""),
                                      expression.value("ct helper", "")));
        if (helper != helpers_.end()) expression["ct helper"] = helper->second;
    }
    std::vector<ImportedRule> rules = read_nft_rule(expressions, family->family, origin_of(index),
                                                    rule.value("comment", ""), chains, context_);
    auto& into = family->document.find(place->second)->rules;
    for (ImportedRule& read : rules)
        into.push_back(std::move(read));
}

struct SetType {
    std::string_view nft;
    std::string_view own;
    Family family;
};
constexpr SetType kSetTypes[] = {
    {"ipv4_addr", "net", Family::Ipv4},
    {"ipv6_addr", "net", Family::Ipv6},
    {"inet_service", "port", Family::None},
    {"ether_addr", "mac", Family::None},
};

void NftReader::read_set(size_t index, const json& object) {
    ImportedSet set;
    set.origin = origin_of(index);
    const json type = object.value("type", json());
    for (const SetType& known : kSetTypes) {
        if (type != known.nft) continue;
        set.type = known.own;
        set.family = known.family;
    }
    if (set.type.empty()) return;  // rules that use it are refused
    const json flags = object.value("flags", json::array());
    set.is_dynamic = std::find(flags.begin(), flags.end(), "dynamic") != flags.end() ||
                     std::find(flags.begin(), flags.end(), "timeout") != flags.end();
    if (object.contains("timeout")) set.timeout = fmt::format("{}s", object.value("timeout", 0));
    set.max = object.value("size", uint64_t{0});
    for (const json& element : object.value("elem", json::array())) {
        auto word = nft_word(element);
        if (word) set.elements.push_back({std::move(*word)});
    }
    const std::string name = object.value("name", "");
    if (context_.sets.find(name) != nullptr)
        return context_.report.problem(set.origin,
                                       "two tables have a set " + rampart::quoted(name));
    context_.sets.add(name, std::move(set));
}

// Base chains of one hook as one chain: each but the last is jumped to, and what it accepts
// returns.
void NftReader::join(TableFamily& family, const std::string& hook) {
    std::vector<BaseChain> bases;
    std::copy_if(family.bases.begin(), family.bases.end(), std::back_inserter(bases),
                 [&hook](const BaseChain& base) { return base.hook == hook; });
    if (bases.empty()) return;
    std::stable_sort(bases.begin(), bases.end(), [](const BaseChain& a, const BaseChain& b) {
        return a.priority < b.priority;
    });
    ImportedChain joined{hook, bases.back().policy, {}};
    for (const BaseChain& base : bases) {
        ImportedChain& chain = *family.document.find(base.name);
        if (&base == &bases.back()) {
            for (ImportedRule& rule : chain.rules)
                joined.rules.push_back(std::move(rule));
            std::erase_if(family.document.chains,
                          [&base](const ImportedChain& c) { return c.name == base.name; });
            break;
        }
        bool is_kept = base.policy == "accept";
        for (ImportedRule& rule : chain.rules) {
            is_kept = is_kept && !rule.find_effect("jump") && !rule.find_effect("goto");
            for (Term& effect : rule.effects)
                if (effect.key == "action" && effect.words.front() == "accept")
                    effect.words.front() = "return";
        }
        if (!is_kept)
            context_.report.problem(base.origin,
                                    "another base chain of this hook follows, and what this one "
                                    "accepts would have to go on there",
                                    "only chains that accept in the end and call no others are "
                                    "joined");
        joined.rules.push_back(made_rule(family.family, "jump", base.name));
    }
    family.document.chains.push_back(std::move(joined));
    sort_chains(family.document);
}

}  // namespace

ImportedDocument read_nft(std::string_view text, const std::string& path, ChainNames& names,
                          DraftContext context) {
    const json ruleset = json::parse(text, nullptr, /*allow_exceptions=*/false);
    const uint32_t file = context.report.add_source(path, text.substr(0, text.find('\n')));
    if (!ruleset.is_object() || !ruleset.contains("nftables") || !ruleset["nftables"].is_array()) {
        context.report.problem({file, 1}, "this is not what `nft -j list ruleset` prints");
        return {};
    }
    try {
        return NftReader(path, ruleset["nftables"], names, context).run();
    } catch (const json::exception& problem) {
        context.report.problem({file, 1},
                               std::string("an object has an unknown form: ") + problem.what());
        return {};
    }
}

}  // namespace rampart
