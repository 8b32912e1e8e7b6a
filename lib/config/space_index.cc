#include "config/space_index.h"

#include <algorithm>

namespace rampart {

namespace {

constexpr size_t kMaxChoices = 8;           // of one field
constexpr size_t kMaxEntries = 64;          // of one rule
constexpr uint8_t kStep4 = 8, kStep6 = 16;  // bits between two lengths of addresses

uint64_t mixed(uint64_t hash, uint64_t word) noexcept {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 29;
}

}  // namespace

// One for each run, or one that leaves the field open.
std::vector<SpaceIndex::Choice> SpaceIndex::choices_of(Field field, const Runs& runs) const {
    const std::vector<Choice> open(1);
    if (runs.empty() || runs.size() > kMaxChoices) return open;
    const bool is_address = field == Field::Src || field == Field::Dst;
    std::vector<Choice> choices;
    for (const Run& run : runs) {
        if (!is_address) {
            if (run.first != run.last) return open;
            choices.push_back({1, run.first});
            continue;
        }
        const unsigned width = address_bits(family_);
        const unsigned step = family_ == Family::Ipv4 ? kStep4 : kStep6;
        unsigned bits = width;
        while (bits > 0 && run.first >> (width - bits) != run.last >> (width - bits))
            bits -= step;
        if (bits == 0) return open;
        choices.push_back({static_cast<uint8_t>(bits), run.first});
    }
    return choices;
}

void SpaceIndex::add(uint32_t rule, const Space& space) {
    constexpr Field kLookedUp[] = {Field::Src, Field::Dst, Field::Sport, Field::Dport,
                                   Field::Proto};
    std::vector<std::vector<Choice>> choices;
    size_t count = 1;
    for (const Field field : kLookedUp) {
        choices.push_back(choices_of(field, space[field]));
        if (count * choices.back().size() > kMaxEntries) choices.back() = std::vector<Choice>(1);
        count *= choices.back().size();
    }
    // Every combination, counted through like the digits of a number.
    for (size_t n = 0; n < count; ++n) {
        Shape shape;
        Point point{};
        size_t rest = n;
        const auto pick = [&](size_t i) {
            const Choice& choice = choices[i][rest % choices[i].size()];
            rest /= choices[i].size();
            point[static_cast<size_t>(kLookedUp[i])] = choice.value;
            return choice.bits;
        };
        shape.src_bits = pick(0);
        shape.dst_bits = pick(1);
        shape.sport = pick(2) != 0;
        shape.dport = pick(3) != 0;
        shape.proto = pick(4) != 0;
        add(rule, shape, point);
    }
}

void SpaceIndex::add(uint32_t rule, const Shape& shape, const Point& point) {
    auto known = std::find(shapes_.begin(), shapes_.end(), shape);
    if (known == shapes_.end()) known = shapes_.insert(shapes_.end(), shape);
    const uint64_t key = key_of(static_cast<size_t>(known - shapes_.begin()), point);
    const auto [first, is_new] = first_.emplace(key, kNone);
    entries_.push_back({rule, is_new ? kNone : first->second});
    first->second = static_cast<uint32_t>(entries_.size() - 1);
}

uint64_t SpaceIndex::key_of(size_t shape, const Point& point) const {
    const Shape& fixed = shapes_[shape];
    const unsigned width = address_bits(family_);
    uint64_t hash = shape + 1;
    const auto add_address = [&](Field field, unsigned bits) {
        if (bits == 0) return;
        const Wide leading = point[static_cast<size_t>(field)] >> (width - bits);
        hash = mixed(hash, static_cast<uint64_t>(leading >> 64));
        hash = mixed(hash, static_cast<uint64_t>(leading));
    };
    const auto add_number = [&](Field field, bool is_fixed) {
        if (is_fixed) hash = mixed(hash, static_cast<uint64_t>(point[static_cast<size_t>(field)]));
    };
    add_address(Field::Src, fixed.src_bits);
    add_address(Field::Dst, fixed.dst_bits);
    add_number(Field::Sport, fixed.sport);
    add_number(Field::Dport, fixed.dport);
    add_number(Field::Proto, fixed.proto);
    return hash;
}

}  // namespace rampart
