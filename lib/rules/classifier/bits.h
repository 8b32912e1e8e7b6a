// The bits of a word that a mask selects, moved together: BMI2's pext, or the same in steps.
#pragma once

#include <cstdint>

#ifdef __BMI2__
#include <immintrin.h>
#endif

namespace rampart {

inline uint64_t gather_bits(uint64_t word, uint64_t mask) noexcept {
#ifdef __BMI2__
    return _pext_u64(word, mask);
#else
    uint64_t gathered = 0;
    for (unsigned at = 0; mask != 0; mask &= mask - 1, ++at)
        gathered |= (word >> __builtin_ctzll(mask) & 1) << at;
    return gathered;
#endif
}

}  // namespace rampart
