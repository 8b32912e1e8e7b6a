#include "rules/classifier/classifier.h"

#include "rules/ruleset.h"

namespace rampart {

Classifier::Classifier(const Ruleset& ruleset, size_t least_rules) : maps_(ruleset.chains.size()) {
    auto compiled = std::make_shared<Compiled>();
    std::vector<std::vector<Projection>> projections(ruleset.chains.size());
    std::vector<Projection> all;
    for (size_t i = 0; i < ruleset.chains.size(); ++i) {
        const Chain& chain = ruleset.chains[i];
        compiled->rules.push_back(chain.rules);
        for (const Rule& rule : chain.rules)
            projections[i].push_back(project(rule));
        compiled->by_state.emplace_back(chain.rules, projections[i]);
        if (chain.rules.size() < least_rules) projections[i].clear();
        all.insert(all.end(), projections[i].begin(), projections[i].end());
    }
    compiled->first_new = ruleset.index_count;
    compiled->attributes = Attributes(all);
    compiled->chains.resize(ruleset.chains.size());
    for (size_t i = 0; i < ruleset.chains.size(); ++i)
        if (!projections[i].empty())
            compiled->chains[i] =
                std::make_unique<ChainIndex>(projections[i], compiled->attributes);
    compiled_ = std::move(compiled);
}

Classifier::Classifier(const Classifier& earlier, const Ruleset& changed)
    : compiled_(earlier.compiled_) {
    for (size_t i = 0; i < changed.chains.size(); ++i)
        maps_.push_back(PositionMap::between(compiled_->rules[i], changed.chains[i].rules,
                                             compiled_->first_new));
}

uint32_t Classifier::next(size_t chain, const RuleKey& key, Family family,
                          uint32_t from) const noexcept {
    if (!maps_[chain].is_identity()) [[unlikely]]
        return next_changed(chain, key, family, from);
    return index_of(chain)->next(key, family, from);
}

uint32_t Classifier::next_changed(size_t chain, const RuleKey& key, Family family,
                                  uint32_t from) const noexcept {
    const PositionMap& map = maps_[chain];
    const uint32_t inserted = map.next_inserted(from);
    uint32_t known = map.to_indexed(from);
    for (;; ++known) {
        known = index_of(chain)->next(key, family, known);
        if (known == kNoRule) return inserted;
        const uint32_t now = map.to_now(known);
        if (now != PositionMap::kNowhere) return std::min(now, inserted);
    }
}

void Classifier::first(size_t chain, const RuleKey* keys, unsigned count, Family family,
                       uint32_t* rules) const noexcept {
    index_of(chain)->first(keys, count, family, rules);
    const PositionMap& map = maps_[chain];
    if (map.is_identity()) [[likely]]
        return;
    const uint32_t inserted = map.next_inserted(0);
    for (unsigned i = 0; i < count; ++i) {
        const uint32_t now = rules[i] == kNoRule ? kNoRule : map.to_now(rules[i]);
        const bool is_gone = rules[i] != kNoRule && now == PositionMap::kNowhere;
        rules[i] = is_gone ? next_changed(chain, keys[i], family, 0) : std::min(now, inserted);
    }
}

size_t Classifier::changes() const noexcept {
    size_t changes = 0;
    for (const PositionMap& map : maps_)
        changes += map.changes();
    return changes;
}

uint64_t Classifier::size_bytes() const noexcept {
    uint64_t bytes = 0;
    for (const auto& index : compiled_->chains)
        if (index != nullptr) bytes += index->size_bytes();
    return bytes;
}

}  // namespace rampart
