// Attributes: protocol, interfaces and connection tracking state as single bits of a key.
//
// For each of these fields the values that no rule of the ruleset tells apart form a class, and
// each class is one bit. A key has one bit set per field; a rule has the bits of all classes that
// it allows. The rule fits when (allowed & key) == key. Bit 0 is set in every key and every rule,
// and in no empty place.
//
// Fields that have but one class take no bit. When there are more classes than kMaxProtocolClasses,
// the last one collects the others, and rules allow it when they allow any of them: wider, never
// narrower.
// Built on the control thread, immutable; key_bits() is on the packet path.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "rules/classifier/projection.h"

namespace rampart {

inline constexpr unsigned kAttributeWords = 7;
using AttributeBits = std::array<uint32_t, kAttributeWords>;

class Attributes {
  public:
    static constexpr unsigned kMaxProtocolClasses = 80;

    Attributes() noexcept : Attributes(std::vector<Projection>()) {}
    // The classes of what these projections tell apart.
    explicit Attributes(const std::vector<Projection>& projections);

    AttributeBits allowed_by(const Projection& projection) const;
    // All bits of the field that has `bit`: exactly one of them is set in a key.
    AttributeBits field_of(unsigned bit) const;
    unsigned bit_count() const noexcept { return bit_count_; }

    // Fills word_count() words.
    void key_bits(uint32_t* words, uint8_t protocol, unsigned in, unsigned out,
                  unsigned state) const noexcept {
        words[0] = first_[protocol] | first_[kInAt + in] | first_[kOutAt + out] |
                   first_[kStateAt + state] | 1;
        if (word_count_ > 1) [[unlikely]]
            more_key_bits(words, {protocol, kInAt + in, kOutAt + out, kStateAt + state});
    }
    unsigned word_count() const noexcept { return word_count_; }

  private:
    // The values of all fields, one after the other.
    static constexpr unsigned kInAt = 256, kOutAt = kInAt + kMaxInterfaces + 1,
                              kStateAt = kOutAt + kMaxInterfaces + 1,
                              kValueCount = kStateAt + kCtStateCount;
    static constexpr uint8_t kNoBit = 0xff;
    struct Field {
        unsigned first_value, value_count;
        unsigned first_bit = 0, bit_count = 0;
    };

    void add_field(unsigned first_value, unsigned value_count,
                   const std::vector<std::array<uint64_t, 4>>& sets);
    void more_key_bits(uint32_t* words, std::array<unsigned, 4> values) const noexcept;

    unsigned bit_count_ = 1;
    unsigned word_count_ = 1;
    std::array<uint8_t, kValueCount> bit_of_;
    std::array<uint32_t, kValueCount> first_;  // the bit, if it is in the first word
    std::vector<Field> fields_;
};

}  // namespace rampart
