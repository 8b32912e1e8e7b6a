// BitChooser: which bits of the key tell some boxes apart best.
//
// Greedy: bit by bit, the one that leaves the least to compare. A box whose bit is free goes to
// both sides, so each step weighs how much shorter the groups become against how many copies it
// makes. Control thread, while an index is compiled.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "rules/classifier/boxes.h"

namespace rampart {

struct BitChoice {
    static constexpr unsigned kMaxWindows = 5;

    std::array<uint64_t, kMaxWindows> masks{};  // by window of the key
    unsigned bits = 0;
    double copies = 1;    // boxes in all groups / boxes
    double expected = 0;  // boxes in the group of a box, its own included
};

struct BitLimits {
    unsigned bits = 0;
    unsigned windows = 1;
    double copies = 4;
    double target = 4;  // of BitChoice::expected: good enough
};

template <unsigned AddressWords>
class BitChooser {
  public:
    static constexpr unsigned kWindows = Box<AddressWords>::kSelectorWords / 2;
    static_assert(kWindows <= BitChoice::kMaxWindows);

    explicit BitChooser(const std::vector<Box<AddressWords>>& boxes) : boxes_(boxes) {}

    BitChoice choose(std::span<const uint32_t> ids, const BitLimits& limits);

  private:
    struct Item {
        uint32_t box;  // in selectors_
        uint32_t group;
    };
    struct Split {
        double expected;
        double copies;
    };
    struct Selector {
        std::array<uint64_t, kWindows> value, mask;
    };

    void begin(std::span<const uint32_t> ids);
    void collect_candidates(unsigned windows_left, const BitChoice& choice);
    Split measure(unsigned bit);
    void apply(unsigned bit);

    const std::vector<Box<AddressWords>>& boxes_;
    std::vector<Selector> selectors_;
    std::vector<Item> items_;
    uint32_t groups_ = 1;
    std::vector<uint32_t> counts_;  // of each group, side 0 and side 1
    std::vector<uint16_t> candidates_;
};

extern template class BitChooser<2>;
extern template class BitChooser<8>;

}  // namespace rampart
