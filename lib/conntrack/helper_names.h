// The application helpers by name and number, for rules, listings and the packet path.
//
// Numbers are stored in flows and expectations; 0 is no helper. The code of each is the file of its
// name in conntrack/helpers/. Constants, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace rampart {

namespace helper_number {
inline constexpr uint8_t kNone = 0, kFtp = 1, kTftp = 2, kIrc = 3, kSip = 4, kPptp = 5;
}

// By number; the first is that of no helper.
inline constexpr std::string_view kHelperNames[] = {"", "ftp", "tftp", "irc", "sip", "pptp"};
inline constexpr uint8_t kHelperCount = sizeof(kHelperNames) / sizeof(kHelperNames[0]);

// kNone when no helper is called so.
constexpr uint8_t helper_number_of(std::string_view name) noexcept {
    for (uint8_t number = 1; number < kHelperCount; ++number)
        if (kHelperNames[number] == name) return number;
    return helper_number::kNone;
}

}  // namespace rampart
