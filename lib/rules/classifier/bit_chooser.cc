#include "rules/classifier/bit_chooser.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace rampart {
namespace {

// A bit that makes the groups less than a tenth shorter is not worth its place.
constexpr double kLeastGain = 0.93;
// How much a copy weighs against a shorter group.
constexpr double kCopyWeight = 0.5;
// Of the boxes that a bit is asked about first, so many may have it free.
constexpr double kMostFree = 0.75;

}  // namespace

template <unsigned AddressWords>
void BitChooser<AddressWords>::begin(std::span<const uint32_t> ids) {
    selectors_.resize(ids.size());
    items_.resize(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) {
        const Box<AddressWords>& box = boxes_[ids[i]];
        for (unsigned w = 0; w < kWindows; ++w) {
            const Ternary& low = box.selector[2 * w];
            const Ternary& high = box.selector[2 * w + 1];
            selectors_[i].value[w] = uint64_t{high.value} << 32 | low.value;
            selectors_[i].mask[w] = uint64_t{high.mask} << 32 | low.mask;
        }
        items_[i] = {static_cast<uint32_t>(i), 0};
    }
    groups_ = 1;
    candidates_.clear();
    for (unsigned bit = 0; bit < 64 * kWindows; ++bit) {
        size_t free = 0, ones = 0;
        for (const Selector& selector : selectors_) {
            const uint64_t is_fixed = selector.mask[bit / 64] >> (bit % 64) & 1;
            free += !is_fixed;
            ones += is_fixed & selector.value[bit / 64] >> (bit % 64);
        }
        const size_t fixed = ids.size() - free;
        if (ones == fixed && free == 0) continue;
        if (fixed == 0 || (free == 0 && ones == 0)) continue;
        if (static_cast<double>(free) > kMostFree * static_cast<double>(ids.size())) continue;
        candidates_.push_back(static_cast<uint16_t>(bit));
    }
}

template <unsigned AddressWords>
typename BitChooser<AddressWords>::Split BitChooser<AddressWords>::measure(unsigned bit) {
    counts_.assign(size_t{groups_} * 2, 0);
    const unsigned window = bit / 64, shift = bit % 64;
    for (const Item& item : items_) {
        const Selector& selector = selectors_[item.box];
        const auto is_free = static_cast<uint32_t>(~(selector.mask[window] >> shift) & 1);
        const auto is_one = static_cast<uint32_t>(selector.value[window] >> shift & 1);
        counts_[2 * item.group] += is_free | (is_one ^ 1);
        counts_[2 * item.group + 1] += is_free | is_one;
    }
    double squares = 0, sum = 0;
    for (const uint32_t count : counts_) {
        squares += static_cast<double>(count) * count;
        sum += count;
    }
    return {squares / sum, sum / static_cast<double>(selectors_.size())};
}

template <unsigned AddressWords>
void BitChooser<AddressWords>::apply(unsigned bit) {
    const unsigned window = bit / 64, shift = bit % 64;
    std::vector<Item> split;
    split.reserve(items_.size() * 2);
    for (const Item& item : items_) {
        const Selector& selector = selectors_[item.box];
        const bool is_free = !(selector.mask[window] >> shift & 1);
        const bool is_one = selector.value[window] >> shift & 1;
        if (is_free || !is_one) split.push_back({item.box, item.group * 2});
        if (is_free || is_one) split.push_back({item.box, item.group * 2 + 1});
    }
    items_ = std::move(split);
    groups_ *= 2;
}

template <unsigned AddressWords>
BitChoice BitChooser<AddressWords>::choose(std::span<const uint32_t> ids, const BitLimits& limits) {
    begin(ids);
    BitChoice choice;
    choice.expected = static_cast<double>(ids.size());
    while (choice.bits < limits.bits && choice.expected > limits.target) {
        double best_score = choice.expected * std::pow(choice.copies, kCopyWeight) * kLeastGain;
        Split best{};
        unsigned best_bit = 0;
        bool is_found = false;
        for (const uint16_t bit : candidates_) {
            const Split split = measure(bit);
            const double score = split.expected * std::pow(split.copies, kCopyWeight);
            if (score >= best_score || split.copies > limits.copies) continue;
            best_score = score;
            best = split;
            best_bit = bit;
            is_found = true;
        }
        if (!is_found) break;
        apply(best_bit);
        choice.masks[best_bit / 64] |= uint64_t{1} << (best_bit % 64);
        ++choice.bits;
        choice.copies = best.copies;
        choice.expected = best.expected;
        const auto used = static_cast<unsigned>(std::count_if(
            choice.masks.begin(), choice.masks.end(), [](uint64_t mask) { return mask != 0; }));
        std::erase_if(candidates_, [&](uint16_t bit) {
            return bit == best_bit || (used == limits.windows && choice.masks[bit / 64] == 0);
        });
    }
    return choice;
}

template class BitChooser<2>;
template class BitChooser<8>;

}  // namespace rampart
