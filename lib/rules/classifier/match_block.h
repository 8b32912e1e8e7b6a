// BlockKey: one key against the eight boxes of a block, all columns at once.
//
// With AVX2 a column is one or two instructions; without it the same comparisons are loops. See
// CutTree::Layout for the columns. On the packet path.
#pragma once

#include "rules/classifier/cut_tree.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace rampart {

#ifdef __AVX2__

class BlockKey {
  public:
    BlockKey(const RuleKey& key, const CutTree::Layout& layout, unsigned address_words) noexcept
        : key_(key), layout_(layout) {
        const uint32_t ports = key.word[address_words];
        ports_ = _mm256_set_m128i(_mm_set1_epi16(static_cast<int16_t>(ports)),
                                  _mm_set1_epi16(static_cast<int16_t>(ports >> 16)));
        attributes_ = _mm_set1_epi16(static_cast<int16_t>(key.word[address_words + 1]));
        more_at_ = address_words + 1;
    }

    // Bit n: box n holds the key.
    unsigned hits(const uint8_t* block) const noexcept {
        const __m256i distance = _mm256_sub_epi16(ports_, load(block));
        const __m256i in_range = _mm256_cmpeq_epi16(
            _mm256_min_epu16(distance, load(block + CutTree::Layout::kPortSpans)), distance);
        const __m128i allowed =
            _mm_and_si128(_mm_loadu_si128(at<__m128i>(block, layout_.attributes)), attributes_);
        const __m128i fits = _mm_and_si128(
            _mm_and_si128(_mm256_castsi256_si128(in_range), _mm256_extracti128_si256(in_range, 1)),
            _mm_cmpeq_epi16(allowed, attributes_));
        const auto narrow =
            static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(fits, _mm_setzero_si128())));
        __m256i difference = _mm256_setzero_si256();
        const size_t words = layout_.address_words.size();
        for (size_t i = 0; i < words; ++i) {
            const __m256i word =
                _mm256_set1_epi32(static_cast<int>(key_.word[layout_.address_words[i]]));
            const __m256i shift =
                _mm256_cvtepu8_epi32(_mm_loadl_epi64(at<__m128i>(block, layout_.shifts + 8 * i)));
            const __m256i values = load(block + CutTree::Layout::kValues + 32 * i);
            difference = _mm256_or_si256(difference,
                                         _mm256_srlv_epi32(_mm256_xor_si256(values, word), shift));
        }
        __m256i same = _mm256_cmpeq_epi32(difference, _mm256_setzero_si256());
        for (size_t i = 0; i < layout_.more_attributes.size(); ++i) {
            const __m256i word = _mm256_set1_epi32(
                static_cast<int>(key_.word[more_at_ + layout_.more_attributes[i]]));
            const __m256i bits = load(block + layout_.more + 32 * i);
            same = _mm256_and_si256(same, _mm256_cmpeq_epi32(_mm256_and_si256(bits, word), word));
        }
        return narrow & static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(same)));
    }

  private:
    template <typename T>
    static const T* at(const uint8_t* block, uint64_t offset) noexcept {
        return reinterpret_cast<const T*>(block + offset);
    }
    static __m256i load(const uint8_t* bytes) noexcept {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    }

    const RuleKey& key_;
    const CutTree::Layout& layout_;
    __m256i ports_;
    __m128i attributes_;
    unsigned more_at_;
};

#else

class BlockKey {
  public:
    BlockKey(const RuleKey& key, const CutTree::Layout& layout, unsigned address_words) noexcept
        : key_(key), layout_(layout), address_words_(address_words) {}

    unsigned hits(const uint8_t* block) const noexcept {
        const uint32_t ports = key_.word[address_words_];
        const auto src = static_cast<uint16_t>(ports >> 16), dst = static_cast<uint16_t>(ports);
        const auto attributes = static_cast<uint16_t>(key_.word[address_words_ + 1]);
        unsigned hits = 0;
        for (unsigned n = 0; n < CutTree::kBlockBoxes; ++n) {
            const auto first = [&](unsigned i) { return half(block, 2 * i); };
            const auto span = [&](unsigned i) {
                return half(block, CutTree::Layout::kPortSpans + 2 * i);
            };
            bool fits = static_cast<uint16_t>(src - first(n)) <= span(n) &&
                        static_cast<uint16_t>(dst - first(n + 8)) <= span(n + 8) &&
                        (half(block, layout_.attributes + 2 * n) & attributes) == attributes;
            for (size_t i = 0; fits && i < layout_.address_words.size(); ++i) {
                const uint32_t difference = word(block, CutTree::Layout::kValues + 32 * i + 4 * n) ^
                                            key_.word[layout_.address_words[i]];
                const uint8_t shift = block[layout_.shifts + 8 * i + n];
                fits = shift >= 32 || difference >> shift == 0;
            }
            for (size_t i = 0; fits && i < layout_.more_attributes.size(); ++i) {
                const uint32_t wanted = key_.word[address_words_ + 1 + layout_.more_attributes[i]];
                fits = (word(block, layout_.more + 32 * i + 4 * n) & wanted) == wanted;
            }
            hits |= unsigned{fits} << n;
        }
        return hits;
    }

  private:
    static uint16_t half(const uint8_t* block, uint64_t at) noexcept {
        return load<uint16_t>(block + at);
    }
    static uint32_t word(const uint8_t* block, uint64_t at) noexcept {
        return load<uint32_t>(block + at);
    }

    const RuleKey& key_;
    const CutTree::Layout& layout_;
    unsigned address_words_;
};

#endif

}  // namespace rampart
