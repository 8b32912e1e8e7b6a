#include "control/monitoring/rule_watch.h"

#include <map>
#include <string_view>
#include <utility>

#include "control/publisher.h"

namespace rampart {
namespace {

std::shared_ptr<const RuleCatalogue> catalogue_of(const Snapshot& snapshot) {
    auto catalogue = std::make_shared<RuleCatalogue>();
    catalogue->generation = snapshot.generation;
    catalogue->lineage = snapshot.lineage;
    const std::vector<Chain>& chains = snapshot.ruleset.chains;
    for (uint32_t chain = 0; chain < chains.size(); ++chain) {
        catalogue->chains.push_back(chains[chain].name);
        for (const Rule& rule : chains[chain].rules)
            catalogue->rules.push_back(
                {chain, rule.id, rule.rule_index,
                 rule.logged_index == kNotNumbered ? 0 : rule.logged_index + 1});
    }
    return catalogue;
}

}  // namespace

void RuleWatch::look(const Publisher& publisher, uint64_t wall_s) {
    if (catalogue_ == nullptr || catalogue_->generation != publisher.current().generation)
        follow(publisher);
    std::vector<RuleCount> counts = publisher.counts();
    for (const RuleName& rule : catalogue_->rules)
        if (counts[rule.index].packets > counts_[rule.index].packets) hits_s_[rule.index] = wall_s;
    counts_ = std::move(counts);
}

// What was known of a rule moves to its new number.
void RuleWatch::follow(const Publisher& publisher) {
    const std::shared_ptr<const RuleCatalogue> former =
        std::exchange(catalogue_, catalogue_of(publisher.current()));
    const RuleIndex size = publisher.current().ruleset.index_count;
    if (former != nullptr && former->lineage == catalogue_->lineage) {
        counts_.resize(size);
        hits_s_.resize(size);
        now_.resize(size);
        before_.resize(size);
        return;
    }
    using ChainAndId = std::pair<std::string_view, std::string_view>;
    std::map<ChainAndId, RuleIndex> numbers;
    if (former != nullptr)
        for (const RuleName& rule : former->rules)
            numbers.emplace(ChainAndId(former->chains[rule.chain], rule.id), rule.index);
    std::vector<RuleCount> counts(size);
    std::vector<uint64_t> hits_s(size), now(size), before(size);
    for (const RuleName& rule : catalogue_->rules) {
        const auto found = numbers.find(ChainAndId(catalogue_->chains[rule.chain], rule.id));
        if (found == numbers.end()) continue;
        counts[rule.index] = counts_[found->second];
        hits_s[rule.index] = hits_s_[found->second];
        now[rule.index] = now_[found->second];
        before[rule.index] = before_[found->second];
    }
    counts_ = std::move(counts);
    hits_s_ = std::move(hits_s);
    now_ = std::move(now);
    before_ = std::move(before);
}

void RuleWatch::each_second(const Publisher& publisher, uint64_t wall_s, uint64_t now_ns) {
    look(publisher, wall_s);
    before_ns_ = std::exchange(now_ns_, now_ns);
    std::swap(before_, now_);
    now_.resize(counts_.size());
    for (size_t i = 0; i < counts_.size(); ++i)
        now_[i] = counts_[i].packets;
}

double RuleWatch::packets_per_s(RuleIndex index) const noexcept {
    // Counters that were reset, or have just begun.
    if (before_ns_ == 0 || now_[index] < before_[index]) return 0;
    return static_cast<double>(now_[index] - before_[index]) * 1e9 /
           static_cast<double>(now_ns_ - before_ns_);
}

}  // namespace rampart
