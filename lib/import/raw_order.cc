#include "import/raw_order.h"

#include <algorithm>
#include <vector>

namespace rampart {

namespace {

bool has_action(const ImportedRule& rule, std::string_view action) {
    const Term* effect = rule.find_effect("action");
    return rule.is_imported() && effect != nullptr && effect->words.front() == action;
}

const Term* chain_of(const ImportedRule& rule) {
    const Term* jump = rule.find_effect("jump");
    return jump != nullptr ? jump : rule.find_effect("goto");
}

bool may_meet(const ImportedRule& a, const ImportedRule& b) {
    return a.family == Family::None || b.family == Family::None || a.family == b.family;
}

class RawOrder {
  public:
    explicit RawOrder(ImportedDocument& document) : document_(document) { visit("raw"); }

    // May say so too often, where another chain drops that would not be asked.
    bool may_drop_behind(const ImportedChain& chain, size_t index) const;
    const std::vector<ImportedChain*>& chains() const { return chains_; }

  private:
    void visit(std::string_view name);
    bool others_drop(const ImportedChain& chain, const ImportedRule& rule) const;

    ImportedDocument& document_;
    std::vector<ImportedChain*> chains_;  // raw and those that it reaches, in that order
};

void RawOrder::visit(std::string_view name) {
    ImportedChain* chain = document_.find(name);
    if (chain == nullptr || std::find(chains_.begin(), chains_.end(), chain) != chains_.end())
        return;
    chains_.push_back(chain);
    for (const ImportedRule& rule : chain->rules) {
        if (const Term* next = chain_of(rule)) visit(next->words.front());
    }
}

bool RawOrder::others_drop(const ImportedChain& chain, const ImportedRule& rule) const {
    return std::any_of(chains_.begin(), chains_.end(), [&](const ImportedChain* other) {
        return other != &chain &&
               (other->policy == "drop" ||
                std::any_of(other->rules.begin(), other->rules.end(), [&](const ImportedRule& r) {
                    return has_action(r, "drop") && may_meet(r, rule);
                }));
    });
}

bool RawOrder::may_drop_behind(const ImportedChain& chain, size_t index) const {
    const ImportedRule& rule = chain.rules[index];
    const bool is_base = chain.name == "raw";
    const bool elsewhere = others_drop(chain, rule);
    if (chain.policy == "drop" || (!is_base && elsewhere)) return true;
    return std::any_of(chain.rules.begin() + static_cast<ptrdiff_t>(index) + 1, chain.rules.end(),
                       [&](const ImportedRule& behind) {
                           const bool may = has_action(behind, "drop") ||
                                            (chain_of(behind) != nullptr && elsewhere);
                           return may && may_meet(behind, rule);
                       });
}

}  // namespace

void refuse_early_notrack(ImportedDocument& document, ImportReport& report) {
    const RawOrder order(document);
    for (ImportedChain* chain : order.chains()) {
        for (size_t i = 0; i < chain->rules.size(); ++i) {
            ImportedRule& rule = chain->rules[i];
            if (!has_action(rule, "notrack") || !order.may_drop_behind(*chain, i)) continue;
            rule.refusal = "behind it raw may still drop the packet";
            report.problem(rule.origin, rule.refusal,
                           "'notrack' ends raw; put the rules that drop in front of it");
        }
    }
}

}  // namespace rampart
