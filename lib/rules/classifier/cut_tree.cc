#include "rules/classifier/cut_tree.h"

#include <cstdlib>
#include <cstring>

#include "base/prefetch.h"
#include "rules/classifier/bits.h"
#include "rules/classifier/match_block.h"

namespace rampart {
namespace {

uint64_t window_of(const RuleKey& key, unsigned index) noexcept {
    uint64_t window;
    std::memcpy(&window, &key.word[2 * index], sizeof(window));
    return window;
}

}  // namespace

void CutTree::Free::operator()(uint8_t* bytes) const noexcept {
    std::free(bytes);
}

const CutTree::Node& CutTree::leaf_of(const RuleKey& key) const noexcept {
    uint64_t index = 0;
    for (unsigned i = 0; i < root_window_count_; ++i)
        index = index << root_[i].bits | gather_bits(window_of(key, root_[i].index), root_[i].mask);
    const Node* node = &nodes_[index];
    while (!node->is_leaf())
        node = &nodes_[node->base + gather_bits(window_of(key, node->detail), node->mask)];
    return *node;
}

uint32_t CutTree::find_in(const Node& leaf, const RuleKey& key, uint32_t from,
                          uint32_t best) const noexcept {
    const uint8_t* block = &blocks_[uint64_t{leaf.base} * layout_.stride];
    const BlockKey block_key(key, layout_, address_word_count_);
    for (uint32_t left = leaf.block_count(); left != 0; --left, block += layout_.stride) {
        const auto* positions = reinterpret_cast<const uint32_t*>(block + layout_.positions);
        if (positions[0] >= best) return best;
        for (unsigned hits = block_key.hits(block); hits != 0; hits &= hits - 1) {
            const uint32_t position = positions[__builtin_ctz(hits)];
            if (position >= best) return best;
            if (position >= from) return position;
        }
    }
    return best;
}

uint32_t CutTree::find(const RuleKey& key, uint32_t from, uint32_t best) const noexcept {
    return find_in(leaf_of(key), key, from, best);
}

// All keys together, one step after the other: what a step needs is on its way to the cache when
// the next one begins.
void CutTree::find(const RuleKey* keys, unsigned count, uint32_t* best) const noexcept {
    const Node* node[kBatch];
    for (unsigned i = 0; i < count; ++i) {
        uint64_t index = 0;
        for (unsigned w = 0; w < root_window_count_; ++w)
            index = index << root_[w].bits |
                    gather_bits(window_of(keys[i], root_[w].index), root_[w].mask);
        node[i] = &nodes_[index];
        prefetch_to_read(node[i]);
    }
    // Those that are not yet at a leaf; collected without a branch.
    uint8_t inner[kBatch];
    unsigned inner_count = 0;
    const auto look = [&](unsigned i) {
        inner[inner_count] = static_cast<uint8_t>(i);
        inner_count += !node[i]->is_leaf();
        const uint8_t* block =
            &blocks_[(node[i]->is_leaf() ? uint64_t{node[i]->base} : 0) * layout_.stride];
        for (uint32_t at = 0; at < layout_.stride; at += 64)
            prefetch_to_read(block + at);
    };
    for (unsigned i = 0; i < count; ++i)
        look(i);
    while (inner_count != 0) {
        const unsigned waiting = inner_count;
        for (unsigned at = 0; at < waiting; ++at) {
            const unsigned i = inner[at];
            node[i] = &nodes_[node[i]->base +
                              gather_bits(window_of(keys[i], node[i]->detail), node[i]->mask)];
            prefetch_to_read(node[i]);
        }
        inner_count = 0;
        for (unsigned at = 0; at < waiting; ++at)
            look(inner[at]);
    }
    for (unsigned i = 0; i < count; ++i)
        best[i] = find_in(*node[i], keys[i], 0, best[i]);
}

CutTree::Depth CutTree::depth(const RuleKey& key) const noexcept {
    Depth depth;
    uint64_t index = 0;
    for (unsigned w = 0; w < root_window_count_; ++w)
        index = index << root_[w].bits | gather_bits(window_of(key, root_[w].index), root_[w].mask);
    const Node* node = &nodes_[index];
    for (depth.nodes = 1; !node->is_leaf(); ++depth.nodes)
        node = &nodes_[node->base + gather_bits(window_of(key, node->detail), node->mask)];
    depth.blocks = node->block_count();
    return depth;
}

}  // namespace rampart
