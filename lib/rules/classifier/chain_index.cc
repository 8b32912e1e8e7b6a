#include "rules/classifier/chain_index.h"

#include "rules/classifier/partition.h"
#include "rules/ruleset.h"

namespace rampart {

ChainIndex::ChainIndex(const std::vector<Projection>& projections, const Attributes& attributes) {
    const Boxes boxes = make_boxes(projections, attributes);
    trees4_ = plant(boxes.v4, attributes);
    trees6_ = plant(boxes.v6, attributes);
}

uint32_t ChainIndex::next(const RuleKey& key, Family family, uint32_t from) const noexcept {
    uint32_t best = kNoRule;
    for (const CutTree& tree : trees(family))
        best = tree.find(key, from, best);
    return best;
}

void ChainIndex::first(const RuleKey* keys, unsigned count, Family family,
                       uint32_t* rules) const noexcept {
    for (unsigned i = 0; i < count; ++i)
        rules[i] = kNoRule;
    for (const CutTree& tree : trees(family))
        tree.find(keys, count, rules);
}

uint64_t ChainIndex::size_bytes() const noexcept {
    uint64_t bytes = 0;
    for (const CutTree& tree : trees4_)
        bytes += tree.size_bytes();
    for (const CutTree& tree : trees6_)
        bytes += tree.size_bytes();
    return bytes;
}

Classifier::Classifier(const Ruleset& ruleset, size_t least_rules)
    : chains_(ruleset.chains.size()) {
    std::vector<std::vector<Projection>> projections(ruleset.chains.size());
    std::vector<Projection> all;
    for (size_t i = 0; i < ruleset.chains.size(); ++i) {
        const Chain& chain = ruleset.chains[i];
        if (chain.rules.size() < least_rules) continue;
        for (const Rule& rule : chain.rules)
            projections[i].push_back(project(rule));
        all.insert(all.end(), projections[i].begin(), projections[i].end());
    }
    attributes_ = Attributes(all);
    for (size_t i = 0; i < ruleset.chains.size(); ++i)
        if (!projections[i].empty())
            chains_[i] = std::make_unique<ChainIndex>(projections[i], attributes_);
}

uint64_t Classifier::size_bytes() const noexcept {
    uint64_t bytes = 0;
    for (const auto& index : chains_)
        if (index != nullptr) bytes += index->size_bytes();
    return bytes;
}

}  // namespace rampart
