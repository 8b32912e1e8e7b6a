// prefetch_to_read(), prefetch_to_write(): a line of memory is on its way to the cache.
//
// Not __builtin_prefetch itself: GCC takes a function that does nothing else for one without any
// effect, and drops the calls of it (seen with GCC 12). The empty asm is an effect, and no
// instruction. Any address may be asked for. Any thread.
#pragma once

namespace rampart {

inline void prefetch_to_read(const void* address) noexcept {
    __builtin_prefetch(address, 0);
    asm volatile("");
}

inline void prefetch_to_write(const void* address) noexcept {
    __builtin_prefetch(address, 1);
    asm volatile("");
}

}  // namespace rampart
