#include "rules/classifier/partition.h"

#include <array>
#include <bit>

#include "rules/classifier/tree_builder.h"

namespace rampart {
namespace {

// Bits of a box's kind.
constexpr unsigned kSrc = 1, kDst = 2, kKinds = 4;
// Which tree each kind goes to, from {neither, src, dst, both}.
using Scheme = std::array<uint8_t, kKinds>;
constexpr Scheme kSchemes[] = {
    {0, 0, 0, 0}, {1, 1, 0, 0}, {1, 0, 1, 0}, {2, 1, 0, 0},
    {2, 0, 1, 0}, {1, 0, 0, 0}, {2, 1, 2, 0}, {3, 1, 2, 0},
};

// How many leading bits make an address specific.
template <unsigned AddressWords>
constexpr unsigned kSpecificBits = AddressWords == 2 ? 12 : 40;

template <unsigned AddressWords>
unsigned kind_of(const Box<AddressWords>& box) noexcept {
    unsigned src = 0, dst = 0;
    for (unsigned i = 0; i < AddressWords / 2; ++i) {
        src += static_cast<unsigned>(std::popcount(box.selector[i].mask));
        dst += static_cast<unsigned>(std::popcount(box.selector[AddressWords / 2 + i].mask));
    }
    return (src >= kSpecificBits<AddressWords> ? kSrc : 0) |
           (dst >= kSpecificBits<AddressWords> ? kDst : 0);
}

// In cycles, about.
constexpr double kTreeCost = 16, kBlockCost = 10;

// What a tree of these kinds would cost a packet, remembered: schemes share parts.
template <unsigned AddressWords>
class Costs {
  public:
    Costs(const std::vector<Box<AddressWords>>& boxes, const Attributes& attributes)
        : boxes_(boxes), attributes_(attributes) {
        cost_.fill(-1);
        for (const Box<AddressWords>& box : boxes)
            kinds_.push_back(static_cast<uint8_t>(kind_of(box)));
    }

    // `kinds`: bit n is kind n.
    std::vector<uint32_t> ids_of(unsigned kinds) const {
        std::vector<uint32_t> ids;
        for (size_t i = 0; i < kinds_.size(); ++i)
            if (kinds >> kinds_[i] & 1) ids.push_back(static_cast<uint32_t>(i));
        return ids;
    }
    double of(unsigned kinds) {
        if (cost_[kinds] >= 0) return cost_[kinds];
        const std::vector<uint32_t> ids = ids_of(kinds);
        cost_[kinds] = 0;
        if (!ids.empty()) {
            const double boxes = TreeBuilder<AddressWords>(boxes_, attributes_).estimate(ids);
            cost_[kinds] = kTreeCost + kBlockCost * boxes / CutTree::kBlockBoxes;
        }
        return cost_[kinds];
    }

  private:
    const std::vector<Box<AddressWords>>& boxes_;
    const Attributes& attributes_;
    std::vector<uint8_t> kinds_;
    std::array<double, 1 << kKinds> cost_;
};

// The kinds that go to tree `tree`.
unsigned kinds_of(const Scheme& scheme, unsigned tree) noexcept {
    unsigned kinds = 0;
    for (unsigned kind = 0; kind < kKinds; ++kind)
        kinds |= unsigned{scheme[kind] == tree} << kind;
    return kinds;
}

template <unsigned AddressWords>
std::vector<CutTree> plant_boxes(const std::vector<Box<AddressWords>>& boxes,
                                 const Attributes& attributes) {
    std::vector<CutTree> trees;
    if (boxes.empty()) return trees;
    Costs<AddressWords> costs(boxes, attributes);
    const Scheme* best = nullptr;
    double best_cost = 0;
    for (const Scheme& scheme : kSchemes) {
        double cost = 0;
        for (unsigned tree = 0; tree < kKinds; ++tree)
            cost += costs.of(kinds_of(scheme, tree));
        if (best != nullptr && cost >= best_cost) continue;
        best = &scheme;
        best_cost = cost;
    }
    for (unsigned tree = 0; tree < kKinds; ++tree) {
        const std::vector<uint32_t> ids = costs.ids_of(kinds_of(*best, tree));
        if (!ids.empty()) trees.push_back(TreeBuilder<AddressWords>(boxes, attributes).build(ids));
    }
    return trees;
}

}  // namespace

std::vector<CutTree> plant(const std::vector<Box<2>>& boxes, const Attributes& attributes) {
    return plant_boxes(boxes, attributes);
}

std::vector<CutTree> plant(const std::vector<Box<8>>& boxes, const Attributes& attributes) {
    return plant_boxes(boxes, attributes);
}

}  // namespace rampart
