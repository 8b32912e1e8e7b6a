// UTF-8, read strictly: what may stand in a configuration file and what may reach a terminal.
//
// Overlong forms, surrogates and code points beyond U+10FFFF are invalid (RFC 3629). Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rampart {

struct CodePoint {
    uint32_t value = 0;
    unsigned length_bytes = 0;  // 0: the bytes are not UTF-8
};

// The code point at the front of `text`, which is not empty.
CodePoint first_code_point(std::string_view text) noexcept;

// Characters that change the order in which the text around them is displayed (UAX #9): a file
// that holds one may read differently from what it does.
bool is_bidi_control(uint32_t code_point) noexcept;

// The text with everything that could act on a terminal replaced by '?'. Tabs stay.
std::string printable(std::string_view text);

}  // namespace rampart
