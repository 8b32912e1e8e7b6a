#include "rules/classifier/chain_index.h"

#include "rules/classifier/partition.h"

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

}  // namespace rampart
