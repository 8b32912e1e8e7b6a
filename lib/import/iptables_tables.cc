#include "import/iptables_tables.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "import/iptables_rule.h"
#include "import/values.h"

namespace rampart {

namespace {

bool is_translation(std::string_view action) {
    return action == "dnat" || action == "redirect" || action == "snat" || action == "masquerade" ||
           action == "netmap";
}

bool is_terminal(std::string_view action) {
    return action == "accept" || action == "drop" || action == "reject" || action == "return" ||
           action == "notrack" || action == "goto" || is_translation(action);
}

// Names of hashlimit tables that several rules share.
std::set<std::string> shared_limits(const Dump& dump) {
    std::set<std::string> once;
    std::set<std::string> shared;
    for (const DumpTable& table : dump.tables) {
        for (const DumpRule& rule : table.rules) {
            const auto option = std::find(rule.words.begin(), rule.words.end(), "--hashlimit-name");
            if (option == rule.words.end() || option + 1 == rule.words.end()) continue;
            if (!once.insert(option[1]).second) shared.insert(option[1]);
        }
    }
    return shared;
}

class TablesTranslator {
  public:
    TablesTranslator(const Dump& dump, ChainNames& names, DraftContext context)
        : dump_(dump), names_(names), context_(context), shared_limits_(shared_limits(dump)) {}

    ImportedDocument run();

  private:
    void translate(const DumpTable& table);
    void add_chains(const DumpTable& table);
    void add_rules(const DumpTable& table);
    RuleDraft read(const DumpTable& table, const DumpRule& rule);
    void keep(RuleDraft draft, std::vector<ImportedRule>& into);
    void keep_alternatives(const RuleDraft& draft, std::vector<ImportedRule>& into);
    void name_translations(const DumpTable& table);
    void check_mangle(const DumpTable& table, const DumpRule& rule, RuleDraft& draft);
    void join_mangle();
    std::string place_of(const DumpTable& table, const std::string& chain);

    const Dump& dump_;
    ChainNames& names_;
    DraftContext context_;
    std::set<std::string> shared_limits_;
    ImportedDocument document_;
};

const DumpChain* find_chain(const DumpTable& table, std::string_view name) {
    const auto found = std::find_if(table.chains.begin(), table.chains.end(),
                                    [name](const DumpChain& c) { return c.name == name; });
    return found == table.chains.end() ? nullptr : &*found;
}

bool is_builtin(const DumpChain& chain) {
    return chain.policy != "-";
}

ImportedDocument TablesTranslator::run() {
    for (const DumpTable& table : dump_.tables)
        translate(table);
    join_mangle();
    sort_chains(document_);
    return std::move(document_);
}

void TablesTranslator::translate(const DumpTable& table) {
    static constexpr std::string_view kKnown[] = {"filter", "raw", "mangle", "nat"};
    if (std::find(std::begin(kKnown), std::end(kKnown), table.name) != std::end(kKnown)) {
        add_chains(table);
        return add_rules(table);
    }
    // A table without rules says nothing.
    for (const DumpRule& rule : table.rules)
        context_.report.problem(rule.origin,
                                fmt::format("the table {} has no counterpart", quoted(table.name)));
}

// The chain of the document that a chain of the dump becomes; empty: none.
std::string TablesTranslator::place_of(const DumpTable& table, const std::string& chain) {
    const DumpChain* known = find_chain(table, chain);
    if (known == nullptr) return {};
    if (!is_builtin(*known)) return names_.name_of(table.name, chain);
    if (table.name == "filter") return lower_case(chain);
    if (table.name == "raw") return chain == "PREROUTING" ? "raw" : "";
    if (table.name == "nat" && chain == "PREROUTING") return std::string(kNatPrerouting);
    if (table.name == "nat") return chain == "POSTROUTING" ? std::string(kNatPostrouting) : "";
    return "mangle-" + lower_case(chain);
}

void TablesTranslator::add_chains(const DumpTable& table) {
    for (const DumpChain& chain : table.chains) {
        const std::string name = place_of(table, chain.name);
        if (name.empty() || document_.find(name) != nullptr) continue;
        const bool is_hook = is_builtin(chain) && table.name != "mangle" && table.name != "nat";
        document_.chains.push_back({name, is_hook ? lower_case(chain.policy) : "", {}});
    }
}

void TablesTranslator::add_rules(const DumpTable& table) {
    for (const DumpRule& rule : table.rules) {
        ImportedChain* chain = document_.find(place_of(table, rule.chain));
        if (find_chain(table, rule.chain) == nullptr) {
            context_.report.problem(rule.origin,
                                    fmt::format("the table {} has no chain {}", quoted(table.name),
                                                quoted(rule.chain)));
        } else if (chain == nullptr) {
            // Only OUTPUT of raw, and INPUT and OUTPUT of nat get here.
            context_.report.problem(
                rule.origin,
                fmt::format("packets that this box sends or gets itself do not pass '{}'",
                            table.name),
                table.name == "raw" ? "it has no effect on a bridge; leave it out"
                                    : "only forwarded packets are translated; leave it out");
        } else {
            RuleDraft draft = read(table, rule);
            if (table.name == "mangle") check_mangle(table, rule, draft);
            keep(std::move(draft), chain->rules);
        }
    }
    if (table.name == "nat") name_translations(table);
    for (const DumpChain& chain : table.chains) {
        if (table.name == "mangle" && chain.policy == "DROP")
            context_.report.problem(chain.origin, "a policy of the table mangle is not imported",
                                    "let the table filter drop");
    }
}

RuleDraft TablesTranslator::read(const DumpTable& table, const DumpRule& rule) {
    const ChainLookup chains = [&](std::string_view name) -> std::optional<std::string> {
        const DumpChain* chain = find_chain(table, name);
        if (chain == nullptr || is_builtin(*chain)) return std::nullopt;
        return names_.name_of(table.name, name);
    };
    DumpRule read_as = rule;
    const bool is_mangle_base =
        table.name == "mangle" && is_builtin(*find_chain(table, rule.chain));
    if (is_mangle_base) {
        // What mangle accepts still meets the filter.
        for (size_t i = 1; i < read_as.words.size(); ++i) {
            if (read_as.words[i] == "ACCEPT" && read_as.words[i - 1] == "-j")
                read_as.words[i] = "RETURN";
        }
    }
    RuleDraft draft = read_rule(read_as, dump_.family, chains, context_);
    const auto name = std::find(rule.words.begin(), rule.words.end(), "--hashlimit-name");
    if (name == rule.words.end() || name + 1 == rule.words.end() ||
        !shared_limits_.contains(name[1]))
        return draft;
    // How much is logged may differ; what passes may not.
    if (draft.action().empty())
        draft.remark_once(fmt::format("the limit {} is shared: here each of its rules has its own",
                                      quoted(name[1])));
    else
        draft.refuse(fmt::format("it shares the limit {} with other rules", quoted(name[1])),
                     "each rule of Rampart has a limit of its own");
    return draft;
}

void TablesTranslator::keep(RuleDraft draft, std::vector<ImportedRule>& into) {
    if (draft.is_refused()) {
        into.push_back(draft.rule());
    } else if (draft.alternatives().empty() || is_terminal(draft.action())) {
        for (ImportedRule& rule : draft.finish_each())
            into.push_back(std::move(rule));
    } else if (draft.action() == "jump") {
        keep_alternatives(draft, into);
    } else {
        draft.refuse("its conditions are alternatives, which need a rule each",
                     "with this target the packet would go through both");
        into.push_back(draft.rule());
    }
}

// "A or B: jump" goes through a chain of its own, so that a packet to which both apply jumps once.
void TablesTranslator::keep_alternatives(const RuleDraft& draft, std::vector<ImportedRule>& into) {
    const std::string name = names_.fresh("either");
    ImportedRule jump = draft.rule();
    ImportedChain chain{name, {}, {}};
    for (const Term& alternative : draft.alternatives()) {
        ImportedRule rule = made_rule(dump_.family, "goto", jump.effects.back().words.front());
        rule.matches.push_back(alternative);
        rule.origin = jump.origin;
        // Ports need their protocol in the same rule.
        if (const Term* protocol = jump.find_match("proto"); protocol && !protocol->negated)
            rule.matches.insert(rule.matches.begin(), *protocol);
        chain.rules.push_back(std::move(rule));
    }
    jump.effects.back() = {"jump", {name}, false, false};
    into.push_back(std::move(jump));
    // May move the chain that `into` belongs to; nothing is used of it afterwards.
    document_.chains.push_back(std::move(chain));
}

void TablesTranslator::check_mangle(const DumpTable& table, const DumpRule& rule,
                                    RuleDraft& draft) {
    const bool is_base = is_builtin(*find_chain(table, rule.chain));
    if (draft.action() == "accept" && !is_base)
        draft.refuse("a user chain of mangle cannot end the way through mangle alone");
    const bool is_known = std::all_of(
        draft.rule().effects.begin(), draft.rule().effects.end(), [](const Term& effect) {
            return effect.key == "set_mark" || effect.key == "set_ct_mark" ||
                   effect.key == "set_dscp" || effect.key == "tcp_mss" || effect.key == "jump" ||
                   effect.key == "goto" || effect.key == "action";
        });
    if (!is_known || draft.action() == "reject")
        draft.refuse("of the table mangle only MARK, CONNMARK, DSCP and TCPMSS are imported");
}

// mangle stands before the filter at the hooks of both, and POSTROUTING behind, where it meets what
// the filter let pass: the headers it changes are none that the filter looks at.
void TablesTranslator::join_mangle() {
    struct Join {
        std::string_view chain;
        std::string_view hooks[2];
    };
    static constexpr Join kJoins[] = {
        {"mangle-postrouting", {"forward", "output"}}, {"mangle-output", {"output", ""}},
        {"mangle-forward", {"forward", ""}},           {"mangle-input", {"input", ""}},
        {"mangle-prerouting", {"forward", "input"}},
    };
    for (const Join& join : kJoins) {
        const ImportedChain* chain = document_.find(join.chain);
        if (chain == nullptr) continue;
        const bool is_empty = chain->rules.empty();
        for (const std::string_view hook : join.hooks) {
            ImportedChain* base = is_empty || hook.empty() ? nullptr : document_.find(hook);
            if (base == nullptr) continue;
            base->rules.insert(base->rules.begin(), made_rule(dump_.family, "jump", join.chain));
        }
        if (is_empty)
            std::erase_if(document_.chains,
                          [&join](const ImportedChain& c) { return c.name == join.chain; });
    }
}

// What nat accepts is not translated.
void TablesTranslator::name_translations(const DumpTable& table) {
    for (const DumpChain& known : table.chains) {
        ImportedChain* chain = document_.find(place_of(table, known.name));
        if (chain == nullptr) continue;
        for (ImportedRule& rule : chain->rules) {
            for (Term& effect : rule.effects) {
                const bool ends = effect.key == "action" &&
                                  (effect.words.front() == "accept" ||
                                   (is_builtin(known) && effect.words.front() == "return"));
                if (ends) effect = {"no_nat", {"true"}, false, false};
            }
        }
    }
}

}  // namespace

ImportedDocument translate_tables(const Dump& dump, ChainNames& names, DraftContext context) {
    return TablesTranslator(dump, names, context).run();
}

}  // namespace rampart
