// Intervals: a set of numbers as sorted, disjoint, inclusive runs; the arithmetic of Projection.
//
// Value type, control thread. T is an unsigned word or Address6.
#pragma once

#include <algorithm>
#include <vector>

#include "rules/address_ranges.h"

namespace rampart {

template <typename T>
struct Interval {
    T first;
    T last;
    bool operator==(const Interval&) const noexcept = default;
};

template <typename T>
constexpr T kLargest = static_cast<T>(~T{});
template <>
inline constexpr Address6 kLargest<Address6>{~uint64_t{0}, ~uint64_t{0}};

// The neighbours of a number that is not at the end.
template <typename T>
constexpr T after(const T& value) noexcept {
    return static_cast<T>(value + 1);
}
template <>
constexpr Address6 after(const Address6& value) noexcept {
    return {value.high + (value.low == ~uint64_t{0}), value.low + 1};
}
template <typename T>
constexpr T before(const T& value) noexcept {
    return static_cast<T>(value - 1);
}
template <>
constexpr Address6 before(const Address6& value) noexcept {
    return {value.high - (value.low == 0), value.low - 1};
}

template <typename T>
class Intervals {
  public:
    Intervals() : runs_{{T{}, kLargest<T>}} {}  // everything
    explicit Intervals(std::vector<Interval<T>> sorted) : runs_(std::move(sorted)) {}

    const std::vector<Interval<T>>& runs() const noexcept { return runs_; }
    bool is_everything() const noexcept {
        return runs_.size() == 1 && runs_[0] == Interval<T>{T{}, kLargest<T>};
    }

    Intervals complement() const {
        std::vector<Interval<T>> gaps;
        T next{};
        for (const Interval<T>& run : runs_) {
            if (next < run.first) gaps.push_back({next, before(run.first)});
            if (run.last == kLargest<T>) return Intervals(std::move(gaps));
            next = after(run.last);
        }
        gaps.push_back({next, kLargest<T>});
        return Intervals(std::move(gaps));
    }

    void intersect(const Intervals& other) {
        std::vector<Interval<T>> common;
        for (size_t a = 0, b = 0; a < runs_.size() && b < other.runs_.size();) {
            const T first = std::max(runs_[a].first, other.runs_[b].first);
            const T last = std::min(runs_[a].last, other.runs_[b].last);
            if (first <= last) common.push_back({first, last});
            runs_[a].last < other.runs_[b].last ? ++a : ++b;
        }
        runs_ = std::move(common);
    }

  private:
    std::vector<Interval<T>> runs_;
};

}  // namespace rampart
