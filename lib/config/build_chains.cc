#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "base/scalar.h"
#include "config/build.h"
#include "config/build_rule.h"
#include "config/chain_graph.h"
#include "config/hairpin.h"
#include "config/policy_analysis.h"
#include "config/rule_analysis.h"
#include "config/rule_id.h"
#include "config/section.h"
#include "rules/chain_name.h"

namespace rampart {

namespace {

constexpr size_t kMaxChains = 4096;
constexpr size_t kMaxChainName = 31;

class ChainsBuilder {
  public:
    ChainsBuilder(Ruleset& ruleset, Diagnostics& diagnostics)
        : ruleset_(ruleset), diagnostics_(diagnostics) {}

    // `nat` may be null.
    void build(const Value& section, const Value* nat);
    const RuleMarks& marks() const noexcept { return marks_; }

  private:
    void add_source(const Value::Entry& entry);
    void add_nat_source(const Value::Entry& entry);
    void take_hook(Hook hook, const Location& at);
    bool check_name(const Value& key);
    void read_policy(const Value::Entry& entry, const Section* section, Chain& chain);
    void build_rules(size_t index, HookMask hooks);
    void take_id(const BuiltRule& built);
    void name_rules();
    void number_rules();

    Ruleset& ruleset_;
    Diagnostics& diagnostics_;
    std::vector<ChainSource> sources_;
    RuleMarks marks_;
    std::unordered_map<std::string, Location> given_ids_;
};

void ChainsBuilder::build(const Value& section, const Value* nat) {
    for (const Value::Entry& entry : section.entries())
        add_source(entry);
    const Section nat_section(nat, "nat", "'nat'", diagnostics_);
    for (const char* name : {"prerouting", "postrouting"}) {
        if (const Value::Entry* entry = nat_section.find_entry(name)) add_nat_source(*entry);
    }
    ChainGraph graph(sources_, ruleset_.names);
    marks_.resize(sources_.size());
    for (size_t i = 0; i < sources_.size(); ++i)
        build_rules(i, graph.hooks(i));
    graph.check_jumps(diagnostics_);
    graph.report_unused(diagnostics_);
    analyse_rules(ruleset_, marks_, diagnostics_);
    name_rules();
    number_rules();
    if (ruleset_.forward == Ruleset::kNoChain) {
        diagnostics_.error("E006", section.location(), "there is no chain 'forward'",
                           "forward: { policy: drop, rules: [...] }");
    }
}

void ChainsBuilder::add_source(const Value::Entry& entry) {
    const Hook hook = hook_of_chain(entry.key.text());
    if (!check_name(entry.key)) return;
    Chain chain;
    chain.name = entry.key.text();
    chain.hook = hook;
    ChainSource source{.entry = &entry, .rules = nullptr, .hook = hook};
    if (entry.value.is_list()) {
        source.rules = &entry.value;
        read_policy(entry, nullptr, chain);
    } else {
        const Section section(&entry.value, "chains.*", fmt::format("chain '{}'", chain.name),
                              diagnostics_);
        read_policy(entry, &section, chain);
        const Value* rules = section.find("rules");
        if (rules != nullptr && rules->is_list()) {
            source.rules = rules;
        } else if (rules != nullptr && !rules->is_null()) {
            diagnostics_.error("E005", rules->location(),
                               fmt::format("'rules' takes a list, not {}", rules->kind_name()),
                               "each rule begins with '- '");
        }
    }
    take_hook(hook, entry.key.location());
    sources_.push_back(source);
    ruleset_.names.chains.push_back(chain.name);
    ruleset_.chains.push_back(std::move(chain));
}

// Only rules: what none of them says anything about keeps its addresses.
void ChainsBuilder::add_nat_source(const Value::Entry& entry) {
    Chain chain;
    chain.name = "nat." + entry.key.text();
    chain.hook = hook_of_chain(chain.name);
    chain.policy = Policy::Accept;
    ChainSource source{.entry = &entry, .rules = nullptr, .hook = chain.hook};
    if (entry.value.is_list()) {
        source.rules = &entry.value;
    } else if (!entry.value.is_null()) {
        diagnostics_.error("E005", entry.value.location(),
                           fmt::format("'{}' takes a list of rules, not {}", entry.key.text(),
                                       entry.value.kind_name()),
                           "each rule begins with '- '");
    }
    take_hook(chain.hook, entry.key.location());
    sources_.push_back(source);
    ruleset_.names.chains.push_back(chain.name);
    ruleset_.chains.push_back(std::move(chain));
}

// Of the chain that comes next.
void ChainsBuilder::take_hook(Hook hook, const Location& at) {
    const int index = static_cast<int>(ruleset_.chains.size());
    switch (hook) {
        case Hook::Raw:
            ruleset_.raw = index;
            return;
        case Hook::Forward:
            ruleset_.forward = index;
            return;
        case Hook::None:
            return;
        case Hook::Prerouting:
            ruleset_.prerouting = index;
            break;
        case Hook::Input:
            ruleset_.input = index;
            break;
        case Hook::Output:
            ruleset_.output = index;
            break;
        case Hook::Postrouting:
            ruleset_.postrouting = index;
    }
    if (ruleset_.names.has_routed_interfaces()) return;
    diagnostics_.warning(
        "W120", at,
        fmt::format("chain '{}' has no effect: all interfaces are bridged", to_string(hook)),
        "an interface without 'bridge' is routed");
}

bool ChainsBuilder::check_name(const Value& key) {
    const std::string& name = key.text();
    if (sources_.size() == kMaxChains) {
        diagnostics_.error("E005", key.location(), fmt::format("more than {} chains", kMaxChains));
        return false;
    }
    const bool is_word = !name.empty() && name.size() <= kMaxChainName &&
                         std::all_of(name.begin(), name.end(), [](char c) {
                             return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                    (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
                         });
    const bool is_nat = (mask_of(hook_of_chain(name)) & kNatHooks) != 0;
    if (is_word && find_action(name) == nullptr && !is_nat) return true;
    std::string hint = "names have up to 31 letters, digits, '_', '-' or '.'";
    if (is_word) hint = "it is the name of an action";
    if (is_nat) hint = fmt::format("write  nat: {{ {}: [...] }}", name.substr(name.find('.') + 1));
    diagnostics_.error("E005", key.location(),
                       fmt::format("{} cannot be the name of a chain", quoted(name)),
                       std::move(hint));
    return false;
}

void ChainsBuilder::read_policy(const Value::Entry& entry, const Section* section, Chain& chain) {
    const Value::Entry* policy = section == nullptr ? nullptr : section->find_entry("policy");
    if (chain.hook == Hook::None) {
        // Foreign spellings of a hook are user chains to the parser and a mistake to the user.
        if (policy != nullptr) {
            const std::vector<std::string_view> hooks = {"input", "forward", "output"};
            diagnostics_.error(
                "E024", policy->key.location(),
                fmt::format("chain '{}' belongs to no hook and cannot have a policy", chain.name),
                did_you_mean(chain.name, hooks));
        }
        return;
    }
    // What raw says nothing about is tracked; every other hook must say what happens to the rest.
    chain.policy = chain.hook == Hook::Raw ? Policy::Accept : Policy::Drop;
    if (policy == nullptr && chain.hook == Hook::Raw) return;
    if (policy == nullptr) {
        if (section != nullptr && !entry.value.is_map()) return;  // reported
        diagnostics_.error("E006", entry.key.location(),
                           fmt::format("chain '{}' has no 'policy'", chain.name),
                           fmt::format("{}: {{ policy: drop, rules: [...] }}", chain.name));
        return;
    }
    if (const auto choice = section->choice("policy", {"accept", "drop"})) {
        chain.policy = *choice == 0 ? Policy::Accept : Policy::Drop;
    }
}

void ChainsBuilder::build_rules(size_t index, HookMask hooks) {
    Chain& chain = ruleset_.chains[index];
    if (sources_[index].rules == nullptr) return;
    const RulePlace place{chain.name, hooks};
    for (const Value& value : sources_[index].rules->items()) {
        BuiltRule built = build_rule(value, place, ruleset_.names, diagnostics_);
        take_id(built);
        if (!built.is_enabled) continue;
        auto hairpin = built.is_good ? build_hairpin_rule(value, built.rule, place, ruleset_.names)
                                     : std::nullopt;
        marks_[index].push_back({built.place, built.is_good});
        chain.rules.push_back(std::move(built.rule));
        if (!hairpin) continue;
        marks_[index].push_back({built.place, false});  // nothing is said about it
        chain.rules.push_back(std::move(*hairpin));
    }
}

void ChainsBuilder::take_id(const BuiltRule& built) {
    if (built.rule.id.empty()) return;
    const auto [first, is_new] = given_ids_.emplace(built.rule.id, built.id_place);
    if (is_new) return;
    diagnostics_.error("E022", built.id_place,
                       fmt::format("duplicate rule id {}", quoted(built.rule.id)),
                       "first used at " + diagnostics_.seen_from(built.id_place, first->second));
}

// An id from the rule's text and chain; equal rules are told apart by their order.
void ChainsBuilder::name_rules() {
    std::unordered_set<std::string> used;
    for (const auto& [id, place] : given_ids_)
        used.insert(id);
    std::unordered_map<std::string, unsigned> repeats;
    for (Chain& chain : ruleset_.chains) {
        const Rule* before = nullptr;
        for (Rule& rule : chain.rules) {
            if (rule.is_implicit) rule.id = hairpin_rule_id(before->id);
            before = &rule;
            if (!rule.id.empty()) continue;
            unsigned& repeat = repeats[derived_rule_id(chain.name, rule.text, 1)];
            do {
                ++repeat;
                rule.id = derived_rule_id(chain.name, rule.text, repeat);
            } while (!used.insert(rule.id).second);
        }
    }
}

void ChainsBuilder::number_rules() {
    RuleIndex next = 0;
    for (Chain& chain : ruleset_.chains) {
        for (Rule& rule : chain.rules)
            rule.rule_index = next++;
        if (chain.hook != Hook::None) chain.policy_index = next++;
    }
    ruleset_.neighbour_discovery_index = next++;
    std::map<std::string, NamedCounter> counters;
    for (const Chain& chain : ruleset_.chains)
        for (const Rule& rule : chain.rules)
            for (const Statement& statement : rule.statements)
                if (statement.type == find_statement_type("counter"))
                    counters[statement.arguments.as<std::string>()].rules.push_back(
                        rule.rule_index);
    for (auto& [name, counter] : counters) {
        counter.name = name;
        counter.index = next++;
        ruleset_.counters.push_back(std::move(counter));
    }
    for (Chain& chain : ruleset_.chains) {
        for (Rule& rule : chain.rules) {
            for (const Statement& statement : rule.statements) {
                if (statement.type != find_statement_type("log")) continue;
                rule.logged_index = next;
                next += 2;
            }
        }
    }
    ruleset_.index_count = next;
    ruleset_.index_rules();
}

}  // namespace

void build_chains(const Value& document, Ruleset& ruleset, Diagnostics& diagnostics) {
    if (const Value* services = document.find("services")) {
        const auto flag = parse_bool(services->is_scalar() ? services->text() : "");
        if (!flag) diagnostics.error("E005", services->location(), "'services' is true or false");
        ruleset.names.has_services = flag.value_or(false);
    }
    const Value* section = document.find("chains");
    if (section == nullptr || !section->is_map()) {
        diagnostics.error("E006", section ? section->location() : document.location(),
                          "the configuration has no 'chains'",
                          "chains: { forward: { policy: drop, rules: [...] } }");
        return;
    }
    ChainsBuilder builder(ruleset, diagnostics);
    builder.build(*section, document.find("nat"));
    if (!diagnostics.has_errors())
        analyse_policies(document, ruleset, builder.marks(), diagnostics);
}

}  // namespace rampart
