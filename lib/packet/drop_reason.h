// DropReason: the name of every way a packet can end other than being forwarded.
//
// One line in drop_reasons.def makes a reason, its counter and its documentation. A scenario must
// exist for each (the scenario runner counts them). Value type, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rampart {

enum class DropReason : uint8_t {
#define RAMPART_DROP_REASON(enumerator, name, text) enumerator,
#include "packet/drop_reasons.def"
#undef RAMPART_DROP_REASON
};

struct DropReasonInfo {
    std::string_view name;  // snake_case, stable: metrics and scripts use it
    std::string_view text;  // one sentence for people
};

inline constexpr DropReasonInfo kDropReasons[] = {
#define RAMPART_DROP_REASON(enumerator, name, text) {name, text},
#include "packet/drop_reasons.def"
#undef RAMPART_DROP_REASON
};
inline constexpr size_t kDropReasonCount = sizeof(kDropReasons) / sizeof(kDropReasons[0]);

constexpr std::string_view to_string(DropReason reason) noexcept {
    return kDropReasons[static_cast<size_t>(reason)].name;
}

}  // namespace rampart
