// InvalidReason: why a packet is INVALID to connection tracking.
//
// INVALID is a class, not a drop: rules decide what happens. Each reason is a counter
// (`rampartctl conntrack -S` sums them up). Order and sources: docs/conntrack.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rampart {

enum class InvalidReason : uint8_t {
#define RAMPART_INVALID_REASON(enumerator, name, text) enumerator,
#include "packet/invalid_reasons.def"
#undef RAMPART_INVALID_REASON
};

struct InvalidReasonInfo {
    std::string_view name;
    std::string_view text;
};

inline constexpr InvalidReasonInfo kInvalidReasons[] = {
#define RAMPART_INVALID_REASON(enumerator, name, text) {name, text},
#include "packet/invalid_reasons.def"
#undef RAMPART_INVALID_REASON
};
inline constexpr size_t kInvalidReasonCount = sizeof(kInvalidReasons) / sizeof(kInvalidReasons[0]);

constexpr std::string_view to_string(InvalidReason reason) noexcept {
    return kInvalidReasons[static_cast<size_t>(reason)].name;
}

}  // namespace rampart
