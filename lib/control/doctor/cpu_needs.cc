// Compiled with the options of the packet path, so the compiler's macros tell what it may use.
#include "control/doctor/cpu_needs.h"

namespace rampart {
namespace {

constexpr std::string_view kFeatures[] = {
    "sse4_2",  // DPDK's own minimum
#ifdef __GCC_HAVE_SYNC_COMPARE_AND_SWAP_16
    "cx16",
#endif
#ifdef __POPCNT__
    "popcnt",
#endif
#ifdef __AVX__
    "avx",
#endif
#ifdef __AVX2__
    "avx2",
#endif
#ifdef __BMI__
    "bmi1",
#endif
#ifdef __BMI2__
    "bmi2",
#endif
#ifdef __FMA__
    "fma",
#endif
#ifdef __MOVBE__
    "movbe",
#endif
#ifdef __PCLMUL__
    "pclmulqdq",
#endif
#ifdef __AES__
    "aes",
#endif
#ifdef __SHA__
    "sha_ni",
#endif
#ifdef __AVX512F__
    "avx512f",
#endif
#ifdef __AVX512BW__
    "avx512bw",
#endif
#ifdef __AVX512DQ__
    "avx512dq",
#endif
#ifdef __AVX512VL__
    "avx512vl",
#endif
#ifdef __AVX512VBMI__
    "avx512vbmi",
#endif
};

}  // namespace

std::span<const std::string_view> cpu_features_of_build() noexcept {
    return kFeatures;
}

}  // namespace rampart
