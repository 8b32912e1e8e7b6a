#include <algorithm>
#include <cstdint>

#include "import/document.h"

namespace rampart {

namespace {

// Above this many pairs of rules no common rules are looked for; all keep their family.
constexpr size_t kMaxPairs = 25'000'000;

constexpr std::string_view kHookOrder[] = {"raw",    "input",        "forward",
                                           "output", kNatPrerouting, kNatPostrouting};

// A limit of both families would be shared between them, where iptables has two.
bool has_own_state(const ImportedRule& rule) {
    return rule.find_match("limit") != nullptr || rule.find_match("connlimit") != nullptr;
}

bool is_same(const ImportedRule& a, const ImportedRule& b) {
    return a.is_imported() && b.is_imported() && a.matches == b.matches && a.effects == b.effects &&
           a.comment == b.comment && !implies_family(a) && !has_own_state(a);
}

// Longest common subsequence: as many rules as possible lose their family, and the order of each
// family stays.
class RuleMerger {
  public:
    RuleMerger(std::vector<ImportedRule> a, std::vector<ImportedRule> b)
        : a_(std::move(a)), b_(std::move(b)) {}

    std::vector<ImportedRule> run();

  private:
    uint32_t& length(size_t i, size_t j) { return lengths_[i * (b_.size() + 1) + j]; }
    void measure();
    void take(std::vector<ImportedRule>& from, size_t index) {
        merged_.push_back(std::move(from[index]));
    }

    std::vector<ImportedRule> a_;
    std::vector<ImportedRule> b_;
    std::vector<uint32_t> lengths_;  // of the longest common part of a_[i..] and b_[j..]
    std::vector<ImportedRule> merged_;
};

void RuleMerger::measure() {
    lengths_.assign((a_.size() + 1) * (b_.size() + 1), 0);
    for (size_t i = a_.size(); i-- > 0;) {
        for (size_t j = b_.size(); j-- > 0;)
            length(i, j) = is_same(a_[i], b_[j]) ? length(i + 1, j + 1) + 1
                                                 : std::max(length(i + 1, j), length(i, j + 1));
    }
}

std::vector<ImportedRule> RuleMerger::run() {
    const bool is_small = a_.empty() || b_.size() <= kMaxPairs / a_.size();
    if (is_small) measure();
    size_t i = 0;
    size_t j = 0;
    while (is_small && i < a_.size() && j < b_.size()) {
        if (is_same(a_[i], b_[j])) {
            a_[i].family = Family::None;
            take(a_, i++);
            ++j;
        } else if (length(i + 1, j) >= length(i, j + 1)) {
            take(a_, i++);
        } else {
            take(b_, j++);
        }
    }
    while (i < a_.size())
        take(a_, i++);
    while (j < b_.size())
        take(b_, j++);
    return std::move(merged_);
}

// A hook has one policy. The family that is accepted in the end gets a chain of its own, so that
// it is accepted also when a rule of it returns or goes to a chain that ends.
void separate(ImportedDocument& both, ImportedChain accepted, ImportedChain dropped, Family family,
              ChainNames& names) {
    const std::string name = names.fresh(accepted.name + "-" + std::string(to_string(family)));
    ImportedChain hook{accepted.name, "drop", {}};
    hook.rules.push_back(made_rule(family, "jump", name));
    hook.rules.push_back(made_rule(family, "action", "accept"));
    for (ImportedRule& rule : dropped.rules)
        hook.rules.push_back(std::move(rule));
    both.chains.push_back(std::move(hook));
    both.chains.push_back({name, {}, std::move(accepted.rules)});
}

size_t place_of(const ImportedChain& chain) {
    return static_cast<size_t>(std::find(std::begin(kHookOrder), std::end(kHookOrder), chain.name) -
                               std::begin(kHookOrder));
}

}  // namespace

ImportedChain* ImportedDocument::find(std::string_view name) {
    const auto found = std::find_if(chains.begin(), chains.end(),
                                    [name](const ImportedChain& c) { return c.name == name; });
    return found == chains.end() ? nullptr : &*found;
}

ImportedRule made_rule(Family family, std::string_view key, std::string_view word) {
    ImportedRule rule;
    rule.family = family;
    rule.effects.push_back({std::string(key), {std::string(word)}, false, false});
    return rule;
}

ImportedDocument combine(ImportedDocument v4, ImportedDocument v6, ChainNames& names) {
    ImportedDocument both;
    // A family without such a hook accepts there.
    for (ImportedChain& chain : v6.chains) {
        if (v4.find(chain.name) == nullptr)
            v4.chains.push_back({chain.name, chain.policy.empty() ? "" : "accept", {}});
    }
    for (ImportedChain& chain : v4.chains) {
        const ImportedChain* found = v6.find(chain.name);
        ImportedChain other{chain.name, chain.policy.empty() ? "" : "accept", {}};
        if (found != nullptr) other = *found;
        if (other.policy == chain.policy) {
            auto rules = RuleMerger(std::move(chain.rules), std::move(other.rules)).run();
            both.chains.push_back({chain.name, chain.policy, std::move(rules)});
        } else if (chain.policy == "accept") {
            separate(both, std::move(chain), std::move(other), Family::Ipv4, names);
        } else {
            separate(both, std::move(other), std::move(chain), Family::Ipv6, names);
        }
    }
    sort_chains(both);
    return both;
}

void sort_chains(ImportedDocument& document) {
    std::stable_sort(
        document.chains.begin(), document.chains.end(),
        [](const ImportedChain& a, const ImportedChain& b) { return place_of(a) < place_of(b); });
}

}  // namespace rampart
