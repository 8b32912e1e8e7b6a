// CtClass: what `state:` matches; Direction: which side of its connection a packet came from.
//
// Netfilter's classes (nf_conntrack_common.h). The class is decided once, when the packet is
// tracked, from the status bits as they were before this packet.
#pragma once

#include <cstdint>
#include <string_view>

namespace rampart {

enum class CtClass : uint8_t { New, Established, Related, Invalid, Untracked };
inline constexpr unsigned kCtClassCount = 5;

inline constexpr std::string_view kCtClassNames[kCtClassCount] = {"new", "established", "related",
                                                                  "invalid", "untracked"};

constexpr std::string_view to_string(CtClass ct_class) noexcept {
    return kCtClassNames[static_cast<unsigned>(ct_class)];
}

// Original: the direction of the packet that created the flow.
enum class Direction : uint8_t { Original = 0, Reply = 1 };

constexpr Direction opposite(Direction direction) noexcept {
    return direction == Direction::Original ? Direction::Reply : Direction::Original;
}

}  // namespace rampart
