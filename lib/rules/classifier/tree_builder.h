// TreeBuilder: boxes become a CutTree.
//
// The root's bits are chosen over a sample; nodes with more boxes than a leaf should have get bits
// of their own, down to CutTree::kMaxLevels. Groups with the same boxes share one node. Bounded:
// when the copies on average reach kMaxCopies, what is left becomes leaves as it is. Control
// thread, while an index is compiled.
#pragma once

#include <unordered_map>

#include "rules/classifier/bit_chooser.h"
#include "rules/classifier/cut_tree.h"

namespace rampart {

// The numbers of a box's groups: bits that are fixed, and bits that are free, as a mask.
struct Groups {
    uint32_t fixed = 0;
    uint32_t free = 0;
};

template <unsigned AddressWords>
class TreeBuilder {
  public:
    TreeBuilder(const std::vector<Box<AddressWords>>& boxes, const Attributes& attributes)
        : boxes_(boxes), attributes_(attributes), chooser_(boxes) {}

    // `ids` are indices into `boxes`, ascending.
    CutTree build(const std::vector<uint32_t>& ids);
    // How many boxes a key would have to be compared with, about. Instead of build().
    double estimate(const std::vector<uint32_t>& ids);

  private:
    using Ids = std::vector<uint32_t>;

    void choose_root(const Ids& ids, size_t sample_size);
    unsigned root_bits() const noexcept;
    Groups groups_of(uint32_t id) const;
    void lay_out(const Ids& ids);
    CutTree::Node make_node(Ids ids, unsigned level);
    CutTree::Node make_leaf(const Ids& ids);
    CutTree::Node make_inner(const Ids& ids, unsigned level);
    void write_block(uint8_t* block, const uint32_t* ids, size_t count) const;

    const std::vector<Box<AddressWords>>& boxes_;
    const Attributes& attributes_;
    BitChooser<AddressWords> chooser_;
    CutTree tree_;
    std::vector<uint8_t> blocks_;
    size_t copies_left_ = 0;  // boxes that may still be written to leaves
    struct Known {
        Ids ids;
        CutTree::Node node;
    };
    std::unordered_multimap<uint64_t, Known> known_;
};

extern template class TreeBuilder<2>;
extern template class TreeBuilder<8>;

}  // namespace rampart
