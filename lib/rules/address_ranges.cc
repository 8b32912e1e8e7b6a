#include "rules/address_ranges.h"

#include <algorithm>

#include "rules/classifier/intervals.h"
#include "rules/words.h"

namespace rampart {

namespace {

uint32_t word_of_v4(const AddressBytes& bytes) noexcept {
    return load_host32(bytes.data());
}

Address6 words_of_v6(const AddressBytes& bytes) noexcept {
    const auto half = [&bytes](size_t offset) {
        return static_cast<uint64_t>(load_host32(bytes.data() + offset)) << 32 |
               load_host32(bytes.data() + offset + 4);
    };
    return {half(0), half(8)};
}

Address6 operator&(const Address6& a, const Address6& b) noexcept {
    return {a.high & b.high, a.low & b.low};
}

// True when `next` is the address right after `last`; the very last address has none.
bool is_adjacent(uint32_t last, uint32_t next) noexcept {
    return next != 0 && last == next - 1;
}
bool is_adjacent(const Address6& last, const Address6& next) noexcept {
    if (next.low == 0) {
        return next.high != 0 && last == Address6{next.high - 1, ~uint64_t{0}};
    }
    return last == Address6{next.high, next.low - 1};
}

template <typename Ranges>
void merge(Ranges& ranges) {
    std::sort(ranges.begin(), ranges.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    Ranges merged;
    for (const auto& range : ranges) {
        if (!merged.empty() &&
            (range.first <= merged.back().last || is_adjacent(merged.back().last, range.first))) {
            merged.back().last = std::max(merged.back().last, range.last);
        } else {
            merged.push_back(range);
        }
    }
    ranges = std::move(merged);
}

template <typename T>
Intervals<T> intervals_of(const std::vector<AddressRanges::Range<T>>& ranges) {
    std::vector<Interval<T>> runs;
    for (const auto& range : ranges)
        runs.push_back({range.first, range.last});
    return Intervals<T>(std::move(runs));
}

template <typename Ranges, typename T>
bool find(const Ranges& ranges, const T& address) noexcept {
    const auto range = std::lower_bound(ranges.begin(), ranges.end(), address,
                                        [](const auto& r, const T& a) { return r.last < a; });
    return range != ranges.end() && range->first <= address;
}

}  // namespace

void AddressRanges::add(const IpRange& range) {
    written_.push_back(range);
    if (range.first.family == Family::Ipv4) {
        v4_.push_back({word_of_v4(range.first.bytes), word_of_v4(range.last.bytes)});
    } else {
        v6_.push_back({words_of_v6(range.first.bytes), words_of_v6(range.last.bytes)});
    }
}

void AddressRanges::add_masked(const MaskedIp6& masked) {
    const Address6 mask = words_of_v6(masked.mask.bytes);
    masked_.push_back({words_of_v6(masked.address.bytes) & mask, mask, masked});
}

void AddressRanges::finish() {
    merge(v4_);
    merge(v6_);
}

bool AddressRanges::contains(Family family, const AddressBytes& address) const noexcept {
    if (family == Family::Ipv4) return find(v4_, word_of_v4(address));
    if (family != Family::Ipv6) return false;
    const Address6 words = words_of_v6(address);
    return find(v6_, words) ||
           std::any_of(masked_.begin(), masked_.end(), [&words](const Masked& masked) {
               return (words & masked.mask) == masked.value;
           });
}

FamilyMask AddressRanges::families() const noexcept {
    if (!sets.is_empty()) return kBothFamilies;  // they may change
    const bool has_v6 = !v6_.empty() || !masked_.empty();
    return static_cast<FamilyMask>((v4_.empty() ? 0 : kIpv4Only) | (has_v6 ? kIpv6Only : 0));
}

std::string print_address_ranges(const Arguments& arguments, const Names&) {
    std::vector<std::string> words;
    for (const IpRange& range : arguments.as<AddressRanges>().written()) {
        words.push_back(range.to_string());
    }
    for (const AddressRanges::Masked& masked : arguments.as<AddressRanges>().masked())
        words.push_back(masked.written.to_string());
    arguments.as<AddressRanges>().sets.append_words(words);
    return print_words(words);
}

void project_address_ranges(const Arguments& arguments, bool negated, Intervals<uint32_t>& v4,
                            Intervals<Address6>& v6) {
    const auto narrow = [negated](auto& into, const auto& ranges) {
        auto set = intervals_of(ranges);
        into.intersect(negated ? set.complement() : set);
    };
    narrow(v4, arguments.as<AddressRanges>().v4());
    // The classifier knows no masks: wider when they add addresses; what is left when they take
    // some away is in what the ranges leave.
    if (negated || arguments.as<AddressRanges>().masked().empty())
        narrow(v6, arguments.as<AddressRanges>().v6());
}

const SetUses* sets_of_address_ranges(const Arguments& arguments) noexcept {
    return &arguments.as<AddressRanges>().sets;
}

FamilyMask families_of_address_ranges(const Arguments& arguments) noexcept {
    return arguments.as<AddressRanges>().families();
}

}  // namespace rampart
