// Box: a rule, or a part of one, as one condition per field: what the classifier's trees hold.
//
// A rule with lists or ranges of addresses, or several ranges of ports, becomes several boxes. A
// rule that would become too many becomes wider ones: no box set is ever narrower than its rule.
// Control thread, while an index is compiled.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "rules/classifier/attributes.h"

namespace rampart {

// Bits that have one value: (word & mask) == value.
struct Ternary {
    uint32_t value = 0;
    uint32_t mask = 0;
};

template <unsigned AddressWords>
struct Box {
    static constexpr unsigned kSelectorWords = AddressWords + 2;

    uint32_t position = 0;  // of the rule in its chain
    uint16_t first_src_port = 0, last_src_port = 0xffff;
    uint16_t first_dst_port = 0, last_dst_port = 0xffff;
    AttributeBits allowed{};
    // By word of the key, what a tree can tell boxes apart by: the addresses, exactly; the bits
    // that all ports of the box share; the first word of the attributes.
    std::array<Ternary, kSelectorWords> selector;
};

struct Boxes {
    std::vector<Box<2>> v4;
    std::vector<Box<8>> v6;
};

// In the order of positions. projections[i] is the rule at position i.
Boxes make_boxes(const std::vector<Projection>& projections, const Attributes& attributes);

}  // namespace rampart
