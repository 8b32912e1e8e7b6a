// TagBucket: one line of a TagIndex, ten entries with their tags.
//
// Value type. Owner: the TagIndex.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace rampart {

struct alignas(64) TagBucket {
    static constexpr uint32_t kWays = 10;
    static constexpr uint16_t kFree = 0;  // no entry has this tag

    uint16_t tag[kWays];
    uint16_t away;       // entries whose home is here and that lie elsewhere
    uint16_t strangers;  // bit n: the home of way n's entry is its other bucket
    uint32_t word[kWays];

    // Bit n: way n has this tag.
    uint32_t ways_with(uint16_t wanted) const noexcept {
#if defined(__x86_64__)
        const __m128i all = _mm_set1_epi16(static_cast<int16_t>(wanted));
        const auto* lines = reinterpret_cast<const __m128i*>(tag);
        const __m128i first = _mm_cmpeq_epi16(_mm_load_si128(lines), all);
        const __m128i second = _mm_cmpeq_epi16(_mm_load_si128(lines + 1), all);
        return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(first, second))) &
               ((1u << kWays) - 1);
#else
        uint32_t ways = 0;
        for (uint32_t way = 0; way < kWays; ++way)
            ways |= uint32_t{tag[way] == wanted} << way;
        return ways;
#endif
    }
    bool is_stranger(uint32_t way) const noexcept {
        return strangers >> way & 1;
    }
    void put(uint32_t way, uint16_t its_tag, uint32_t its_word, bool as_stranger) noexcept {
        tag[way] = its_tag;
        word[way] = its_word;
        strangers =
            static_cast<uint16_t>((strangers & ~(1u << way)) | uint32_t{as_stranger} << way);
    }
    // The way that holds exactly this; kWays: none.
    uint32_t way_of(uint16_t wanted, uint32_t its_word, bool as_stranger) const noexcept;
};
static_assert(sizeof(TagBucket) == 64);

}  // namespace rampart
