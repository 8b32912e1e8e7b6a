#include "rules/classifier/tree_builder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/assert.h"
#include "base/endian.h"
#include "rules/classifier/bits.h"

namespace rampart {
namespace {

constexpr size_t kLeafBoxes = CutTree::kBlockBoxes;
constexpr size_t kRootSample = 8192, kEstimateSample = 1024;

constexpr unsigned kMaxRootBits = 16;
constexpr unsigned kMaxInnerBits = 6;
constexpr double kRootCopies = 3;
constexpr double kInnerCopies = 2.5;
// Of a box, on average, in all leaves of a tree.
constexpr size_t kMaxCopies = 12;
constexpr double kTarget = 4;

// FNV-1a over words.
uint64_t hash_of(const std::vector<uint32_t>& ids) noexcept {
    uint64_t hash = 0xcbf29ce484222325;
    for (const uint32_t id : ids)
        hash = (hash ^ id) * 0x100000001b3;
    return hash;
}

template <unsigned AddressWords>
void add_window(Groups& groups, const Box<AddressWords>& box, const CutTree::Window& window) {
    const Ternary& low = box.selector[2 * window.index];
    const Ternary& high = box.selector[2 * window.index + 1];
    const uint64_t value = uint64_t{high.value} << 32 | low.value;
    const uint64_t mask = uint64_t{high.mask} << 32 | low.mask;
    groups.fixed =
        groups.fixed << window.bits | static_cast<uint32_t>(gather_bits(value & mask, window.mask));
    groups.free =
        groups.free << window.bits | static_cast<uint32_t>(gather_bits(~mask, window.mask));
}

// Calls visit(group) for each group, in ascending order.
template <typename Visit>
void for_each_group(const Groups& groups, Visit visit) {
    uint32_t subset = 0;
    do {
        visit(groups.fixed | subset);
        subset = (subset - groups.free) & groups.free;
    } while (subset != 0);
}

}  // namespace

template <unsigned AddressWords>
void TreeBuilder<AddressWords>::choose_root(const Ids& ids, size_t sample_size) {
    Ids sample;
    const size_t step = (ids.size() + sample_size - 1) / sample_size;
    for (size_t i = 0; i < ids.size(); i += step)
        sample.push_back(ids[i]);
    // As many children as boxes, about: an inner node costs as much as four boxes' comparison.
    BitLimits limits;
    limits.bits = std::min(kMaxRootBits, static_cast<unsigned>(std::bit_width(ids.size())));
    limits.windows = CutTree::kMaxRootWindows;
    limits.copies = kRootCopies;
    limits.target = std::max(1.2, kTarget / static_cast<double>(step));
    if (ids.size() <= kLeafBoxes) limits.bits = 0;
    const BitChoice choice = chooser_.choose(sample, limits);
    for (unsigned w = 0; w < BitChoice::kMaxWindows; ++w) {
        if (choice.masks[w] == 0) continue;
        CutTree::Window& window = tree_.root_[tree_.root_window_count_++];
        window = {choice.masks[w], static_cast<uint8_t>(w),
                  static_cast<uint8_t>(std::popcount(choice.masks[w]))};
    }
}

template <unsigned AddressWords>
unsigned TreeBuilder<AddressWords>::root_bits() const noexcept {
    unsigned bits = 0;
    for (unsigned w = 0; w < tree_.root_window_count_; ++w)
        bits += tree_.root_[w].bits;
    return bits;
}

template <unsigned AddressWords>
Groups TreeBuilder<AddressWords>::groups_of(uint32_t id) const {
    Groups groups;
    for (unsigned w = 0; w < tree_.root_window_count_; ++w)
        add_window(groups, boxes_[id], tree_.root_[w]);
    return groups;
}

// Boxes that leave most of the root's bits free stay together further down, more or less; inner
// nodes part the others.
template <unsigned AddressWords>
double TreeBuilder<AddressWords>::estimate(const Ids& ids) {
    choose_root(ids, kEstimateSample);
    const auto bits = static_cast<int>(root_bits());
    double wide = 0;
    for (const uint32_t id : ids) {
        const int free_bits = std::popcount(groups_of(id).free);
        if (2 * free_bits > bits) wide += std::ldexp(1.0, free_bits - bits);
    }
    return bits == 0 ? static_cast<double>(ids.size()) : kTarget + wide;
}

template <unsigned AddressWords>
CutTree TreeBuilder<AddressWords>::build(const Ids& ids) {
    tree_.address_word_count_ = AddressWords;
    lay_out(ids);
    choose_root(ids, kRootSample);
    copies_left_ = kMaxCopies * ids.size();
    std::vector<Ids> children(size_t{1} << root_bits());
    for (const uint32_t id : ids)
        for_each_group(groups_of(id), [&](uint32_t group) { children[group].push_back(id); });
    tree_.nodes_.resize(children.size());
    for (size_t i = 0; i < children.size(); ++i)
        tree_.nodes_[i] = make_node(std::move(children[i]), 1);
    tree_.blocks_bytes_ = blocks_.size();
    void* memory = std::aligned_alloc(64, std::max<size_t>(blocks_.size(), tree_.layout_.stride));
    RAMPART_ASSERT(memory != nullptr);
    tree_.blocks_.reset(static_cast<uint8_t*>(memory));
    std::copy(blocks_.begin(), blocks_.end(), tree_.blocks_.get());
    return std::move(tree_);
}

// Columns that no box of this tree needs are left out.
template <unsigned AddressWords>
void TreeBuilder<AddressWords>::lay_out(const Ids& ids) {
    std::array<uint32_t, AddressWords> asked{};
    AttributeBits denied{};
    for (const uint32_t id : ids) {
        for (unsigned i = 0; i < AddressWords; ++i)
            asked[i] |= boxes_[id].selector[i].mask;
        for (unsigned i = 0; i < kAttributeWords; ++i)
            denied[i] |= ~boxes_[id].allowed[i];
    }
    CutTree::Layout& layout = tree_.layout_;
    for (unsigned i = 0; i < AddressWords; ++i)
        if (asked[i] != 0) layout.address_words.push_back(static_cast<uint8_t>(i));
    for (unsigned i = 0; i < kAttributeWords; ++i) {
        const unsigned valid = std::clamp(attributes_.bit_count(), 32 * i, 32 * i + 32) - 32 * i;
        const uint32_t bits = valid == 32 ? ~uint32_t{0} : (uint32_t{1} << valid) - 1;
        const uint32_t beyond = i == 0 ? 0xffff0000 : 0xffffffff;
        if ((denied[i] & bits & beyond) != 0)
            layout.more_attributes.push_back(static_cast<uint8_t>(i));
    }
    const auto words = static_cast<uint32_t>(layout.address_words.size());
    const auto more = static_cast<uint32_t>(layout.more_attributes.size());
    layout.positions = CutTree::Layout::kValues + 32 * words;
    layout.attributes = layout.positions + 32;
    layout.shifts = layout.attributes + 16;
    layout.more = layout.shifts + 8 * words;
    layout.stride = (layout.more + 32 * more + 63) / 64 * 64;
}

template <unsigned AddressWords>
CutTree::Node TreeBuilder<AddressWords>::make_node(Ids ids, unsigned level) {
    const uint64_t hash = hash_of(ids);
    const auto [first, last] = known_.equal_range(hash);
    for (auto known = first; known != last; ++known) {
        if (known->second.ids == ids) return known->second.node;
    }
    const CutTree::Node node = make_inner(ids, level);
    tree_.levels_ = std::max(tree_.levels_, level + !node.is_leaf());
    if (node.is_leaf()) known_.emplace(hash, Known{std::move(ids), node});
    return node;
}

template <unsigned AddressWords>
CutTree::Node TreeBuilder<AddressWords>::make_inner(const Ids& ids, unsigned level) {
    if (ids.size() <= kLeafBoxes || level == CutTree::kMaxLevels || copies_left_ == 0)
        return make_leaf(ids);
    BitLimits limits;
    limits.bits = std::min(kMaxInnerBits, static_cast<unsigned>(std::bit_width(ids.size() / 2)));
    limits.copies = kInnerCopies;
    limits.target = kTarget;
    const BitChoice choice = chooser_.choose(ids, limits);
    if (choice.bits == 0) return make_leaf(ids);
    CutTree::Window window;
    for (unsigned w = 0; w < BitChoice::kMaxWindows; ++w)
        if (choice.masks[w] != 0)
            window = {choice.masks[w], static_cast<uint8_t>(w), static_cast<uint8_t>(choice.bits)};
    std::vector<Ids> children(size_t{1} << choice.bits);
    for (const uint32_t id : ids) {
        Groups groups;
        add_window(groups, boxes_[id], window);
        for_each_group(groups, [&](uint32_t group) { children[group].push_back(id); });
    }
    const size_t base = tree_.nodes_.size();
    tree_.nodes_.resize(base + children.size());
    for (size_t i = 0; i < children.size(); ++i)
        tree_.nodes_[base + i] = make_node(std::move(children[i]), level + 1);
    return {window.mask, static_cast<uint32_t>(base), window.index};
}

template <unsigned AddressWords>
CutTree::Node TreeBuilder<AddressWords>::make_leaf(const Ids& ids) {
    copies_left_ -= std::min(copies_left_, ids.size());
    const uint32_t stride = tree_.layout_.stride;
    const size_t count = (ids.size() + kLeafBoxes - 1) / kLeafBoxes;
    const size_t base = blocks_.size() / stride;
    blocks_.resize(blocks_.size() + count * stride);
    for (size_t i = 0; i < count; ++i)
        write_block(&blocks_[(base + i) * stride], &ids[i * kLeafBoxes],
                    std::min(kLeafBoxes, ids.size() - i * kLeafBoxes));
    return {0, static_cast<uint32_t>(base), CutTree::Node::kLeaf | static_cast<uint32_t>(count)};
}

// Places without a box allow no attributes, and every key has one: they never match.
template <unsigned AddressWords>
void TreeBuilder<AddressWords>::write_block(uint8_t* block, const uint32_t* ids,
                                            size_t count) const {
    const CutTree::Layout& layout = tree_.layout_;
    for (uint32_t n = 0; n < kLeafBoxes; ++n)
        store(block + layout.positions + 4 * n, kNoRule);
    for (uint32_t n = 0; n < count; ++n) {
        const Box<AddressWords>& box = boxes_[ids[n]];
        const auto put_ports = [&](uint32_t at, uint16_t first, uint16_t last) {
            store(block + CutTree::Layout::kFirstPorts + 2 * at, first);
            store(block + CutTree::Layout::kPortSpans + 2 * at,
                  static_cast<uint16_t>(last - first));
        };
        put_ports(n, box.first_src_port, box.last_src_port);
        put_ports(n + 8, box.first_dst_port, box.last_dst_port);
        store(block + layout.positions + 4 * n, box.position);
        store(block + layout.attributes + 2 * n, static_cast<uint16_t>(box.allowed[0]));
        for (uint32_t i = 0; i < layout.address_words.size(); ++i) {
            const Ternary& word = box.selector[layout.address_words[i]];
            store(block + CutTree::Layout::kValues + 32 * i + 4 * n, word.value);
            block[layout.shifts + 8 * i + n] = static_cast<uint8_t>(32 - std::popcount(word.mask));
        }
        for (uint32_t i = 0; i < layout.more_attributes.size(); ++i)
            store(block + layout.more + 32 * i + 4 * n, box.allowed[layout.more_attributes[i]]);
    }
}

template class TreeBuilder<2>;
template class TreeBuilder<8>;

}  // namespace rampart
