#include "control/iptables_export.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "control/iptables_rule.h"
#include "control/iptables_words.h"

namespace rampart {

namespace {

constexpr size_t kMaxChainName = 28;  // of iptables

enum class Table : uint8_t { Raw, Mangle, Nat, Filter };
constexpr std::array<std::string_view, 4> kTableNames = {"raw", "mangle", "nat", "filter"};
constexpr std::array<std::string_view, 5> kHooksOfMangle = {"prerouting", "input", "forward",
                                                            "output", "postrouting"};

class Exporter {
  public:
    Exporter(const Ruleset& ruleset, const std::vector<RuleCount>& counts, Family family)
        : ruleset_(ruleset), counts_(counts), family_(family) {}

    IptablesExport run();

  private:
    // What a chain is called, and where it stands.
    struct Place {
        Table table = Table::Filter;
        std::string name;
        bool is_base = false;
    };
    void place_chains();
    void spread(size_t chain, Table table);
    void name_chain(size_t chain);
    bool is_mangle_base(const Chain& chain) const;
    void write_table(Table table);
    void write_declarations(Table table);
    void write_rules(size_t chain);
    std::string count_of(RuleIndex index) const;

    const Ruleset& ruleset_;
    const std::vector<RuleCount>& counts_;
    Family family_;
    std::vector<Place> places_;
    std::set<std::string> names_;
    IptablesExport result_;
};

IptablesExport Exporter::run() {
    place_chains();
    for (const Table table : {Table::Raw, Table::Mangle, Table::Nat, Table::Filter})
        write_table(table);
    return std::move(result_);
}

// A chain that `import` made of a chain of mangle: "mangle-forward".
bool Exporter::is_mangle_base(const Chain& chain) const {
    constexpr std::string_view kPrefix = "mangle-";
    if (chain.hook != Hook::None || !chain.name.starts_with(kPrefix)) return false;
    const std::string_view hook = std::string_view(chain.name).substr(kPrefix.size());
    return std::find(kHooksOfMangle.begin(), kHooksOfMangle.end(), hook) != kHooksOfMangle.end();
}

void Exporter::place_chains() {
    places_.resize(ruleset_.chains.size());
    for (size_t i = 0; i < ruleset_.chains.size(); ++i) {
        const Chain& chain = ruleset_.chains[i];
        places_[i].is_base = chain.hook != Hook::None || is_mangle_base(chain);
        if (chain.hook == Hook::Raw) spread(i, Table::Raw);
        if (is_mangle_base(chain)) spread(i, Table::Mangle);
        if ((mask_of(chain.hook) & kNatHooks) != 0) spread(i, Table::Nat);
    }
    for (size_t i = 0; i < ruleset_.chains.size(); ++i)
        name_chain(i);
}

void Exporter::spread(size_t chain, Table table) {
    places_[chain].table = table;
    for (const Rule& rule : ruleset_.chains[chain].rules) {
        const bool leaves = rule.decision.step == Step::Jump || rule.decision.step == Step::Goto;
        if (leaves && places_[rule.decision.chain].table != table)
            spread(rule.decision.chain, table);
    }
}

void Exporter::name_chain(size_t index) {
    const Chain& chain = ruleset_.chains[index];
    Place& place = places_[index];
    if (chain.hook == Hook::Raw) {
        place.name = "PREROUTING";
    } else if (chain.hook != Hook::None) {
        // "nat.prerouting"
        const std::string_view hook = to_string(chain.hook);
        place.name = upper_case(hook.substr(hook.find('.') + 1));
    } else if (place.is_base) {
        place.name = upper_case(chain.name.substr(chain.name.find('-') + 1));
    } else {
        const std::string prefix =
            fmt::format("{}-", kTableNames[static_cast<size_t>(place.table)]);
        const bool is_prefixed = place.table != Table::Filter && chain.name.starts_with(prefix);
        const std::string stem = is_prefixed ? chain.name.substr(prefix.size()) : chain.name;
        place.name = stem.substr(0, kMaxChainName);
        for (unsigned number = 1; !names_.insert(prefix + place.name).second; ++number) {
            const std::string suffix = fmt::format("-{}", number);
            place.name = stem.substr(0, kMaxChainName - suffix.size()) + suffix;
        }
    }
}

std::string Exporter::count_of(RuleIndex index) const {
    if (counts_.empty()) return "[0:0]";
    return fmt::format("[{}:{}]", counts_[index].packets, counts_[index].bytes);
}

void Exporter::write_declarations(Table table) {
    std::vector<std::string_view> hooks = {"INPUT", "FORWARD", "OUTPUT"};
    if (table == Table::Raw) hooks = {"PREROUTING", "OUTPUT"};
    if (table == Table::Nat) hooks = {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"};
    if (table == Table::Mangle) hooks = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};
    for (const std::string_view hook : hooks) {
        std::string policy = "ACCEPT [0:0]";
        for (size_t i = 0; i < places_.size(); ++i) {
            const Chain& chain = ruleset_.chains[i];
            const Place& place = places_[i];
            if (place.table != table || place.name != hook || chain.hook == Hook::None) continue;
            policy = fmt::format("{} {}", chain.policy == Policy::Accept ? "ACCEPT" : "DROP",
                                 count_of(chain.policy_index));
        }
        result_.text += fmt::format(":{} {}\n", hook, policy);
    }
    for (const Place& place : places_) {
        if (place.table == table && !place.is_base)
            result_.text += fmt::format(":{} - [0:0]\n", place.name);
    }
}

void Exporter::write_table(Table table) {
    const auto is_here = [table](const Place& place) { return place.table == table; };
    const bool is_used = std::any_of(places_.begin(), places_.end(), is_here);
    if (!is_used && table != Table::Filter) return;
    result_.text += fmt::format("*{}\n", kTableNames[static_cast<size_t>(table)]);
    write_declarations(table);
    for (size_t i = 0; i < places_.size(); ++i) {
        if (places_[i].table == table) write_rules(i);
    }
    result_.text += "COMMIT\n";
}

void Exporter::write_rules(size_t index) {
    const auto name_of = [this](size_t chain) { return places_[chain].name; };
    for (const Rule& rule : ruleset_.chains[index].rules) {
        const bool joins_mangle = rule.decision.step == Step::Jump &&
                                  is_mangle_base(ruleset_.chains[rule.decision.chain]);
        if (joins_mangle) continue;  // the kernel goes there by itself
        const IptablesRules rules = to_iptables(rule, ruleset_, family_, name_of);
        if (!rules.reason.empty()) {
            ++result_.left_out;
            result_.text +=
                fmt::format("# no counterpart, {}: {{ {} }}\n", rules.reason, rule.text);
            continue;
        }
        for (const std::string& line : rules.lines) {
            const std::string count =
                counts_.empty() ? std::string() : count_of(rule.rule_index) + " ";
            result_.text += fmt::format("{}-A {} {}", count, places_[index].name, line);
            if (line.empty()) result_.text.pop_back();
            result_.text += '\n';
        }
    }
}

}  // namespace

IptablesExport export_iptables(const Ruleset& ruleset, const std::vector<RuleCount>& counts,
                               Family family) {
    return Exporter(ruleset, counts, family).run();
}

}  // namespace rampart
