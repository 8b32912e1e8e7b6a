// InterfaceIndex: a port or VLAN of the configuration, by its position in `interfaces`.
//
// The order in which the daemon brings up its ports; stable for the life of the process.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rampart {

using InterfaceIndex = uint8_t;
inline constexpr size_t kMaxInterfaces = 64;
inline constexpr InterfaceIndex kNoInterface = 0xff;
// Where packets go that are for the box itself: no interface that a rule could name.
inline constexpr InterfaceIndex kToBox = 0xfe;

}  // namespace rampart
