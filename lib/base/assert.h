// RAMPART_ASSERT: a wrong programmer stops the program. Never on input.
//
// Active in every build: the conditions are cheap and none stands in a per-packet loop.
#pragma once

namespace rampart {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace rampart

#define RAMPART_ASSERT(condition)       \
    ((condition) ? static_cast<void>(0) \
                 : ::rampart::assertion_failed(#condition, __FILE__, __LINE__))
