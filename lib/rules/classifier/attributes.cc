#include "rules/classifier/attributes.h"

#include <algorithm>
#include <map>

namespace rampart {
namespace {

// A field's values that a projection allows, as words of 64.
using ValueSet = std::array<uint64_t, 4>;

template <size_t N>
ValueSet words_of(const std::bitset<N>& bits) {
    ValueSet set{};
    for (size_t i = 0; i < N; ++i)
        if (bits[i]) set[i / 64] |= uint64_t{1} << (i % 64);
    return set;
}

bool has(const ValueSet& set, unsigned value) noexcept {
    return set[value / 64] >> (value % 64) & 1;
}

template <typename Field>
std::vector<ValueSet> distinct(const std::vector<Projection>& projections, Field field) {
    std::vector<ValueSet> sets;
    sets.reserve(projections.size());
    for (const Projection& projection : projections) {
        const ValueSet set = words_of(field(projection));
        if (sets.empty() || sets.back() != set) sets.push_back(set);
    }
    std::sort(sets.begin(), sets.end());
    sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
    return sets;
}

void set_bit(AttributeBits& bits, unsigned bit) noexcept {
    bits[bit / 32] |= uint32_t{1} << (bit % 32);
}

}  // namespace

Attributes::Attributes(const std::vector<Projection>& projections) {
    bit_of_.fill(kNoBit);
    first_.fill(0);
    add_field(kStateAt, kCtStateCount,
              distinct(projections, [](const Projection& projection) { return projection.ct; }));
    add_field(0, 256, distinct(projections, [](const Projection& projection) {
                  return projection.protocols;
              }));
    add_field(kInAt, kMaxInterfaces + 1,
              distinct(projections, [](const Projection& projection) { return projection.in; }));
    add_field(kOutAt, kMaxInterfaces + 1,
              distinct(projections, [](const Projection& projection) { return projection.out; }));
    word_count_ = (bit_count_ + 31) / 32;
}

void Attributes::add_field(unsigned first_value, unsigned value_count,
                           const std::vector<ValueSet>& sets) {
    // Refines the classes set by set: values that were together stay so when the set has both.
    std::vector<unsigned> class_of(value_count, 0);
    unsigned classes = 1;
    for (const ValueSet& set : sets) {
        std::map<std::pair<unsigned, bool>, unsigned> refined;
        for (unsigned value = 0; value < value_count; ++value) {
            const auto key = std::make_pair(class_of[value], has(set, value));
            class_of[value] =
                refined.emplace(key, static_cast<unsigned>(refined.size())).first->second;
        }
        classes = static_cast<unsigned>(refined.size());
        if (classes == value_count) break;
    }
    if (classes == 1) return;
    classes = std::min(classes, kMaxProtocolClasses);
    for (unsigned value = 0; value < value_count; ++value) {
        const unsigned bit = bit_count_ + std::min(class_of[value], classes - 1);
        bit_of_[first_value + value] = static_cast<uint8_t>(bit);
        if (bit < 32) first_[first_value + value] = uint32_t{1} << bit;
    }
    fields_.push_back({first_value, value_count, bit_count_, classes});
    bit_count_ += classes;
}

void Attributes::more_key_bits(uint32_t* words, std::array<unsigned, 4> values) const noexcept {
    for (unsigned i = 1; i < word_count_; ++i)
        words[i] = 0;
    for (const unsigned value : values) {
        const uint8_t bit = bit_of_[value];
        if (bit != kNoBit && bit >= 32) words[bit / 32] |= uint32_t{1} << (bit % 32);
    }
}

AttributeBits Attributes::allowed_by(const Projection& projection) const {
    AttributeBits bits{};
    set_bit(bits, 0);
    const auto allow = [&](unsigned at, const auto& values) {
        for (size_t i = 0; i < values.size(); ++i)
            if (values[i] && bit_of_[at + i] != kNoBit) set_bit(bits, bit_of_[at + i]);
    };
    allow(0, projection.protocols);
    allow(kInAt, projection.in);
    allow(kOutAt, projection.out);
    allow(kStateAt, projection.ct);
    return bits;
}

AttributeBits Attributes::field_of(unsigned bit) const {
    AttributeBits bits{};
    for (const Field& field : fields_) {
        if (bit < field.first_bit || bit >= field.first_bit + field.bit_count) continue;
        for (unsigned i = 0; i < field.bit_count; ++i)
            set_bit(bits, field.first_bit + i);
    }
    return bits;
}

}  // namespace rampart
