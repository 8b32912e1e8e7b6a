#include "base/utf8.h"

namespace rampart {

CodePoint first_code_point(std::string_view text) noexcept {
    const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
    const uint8_t lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    unsigned length = 0;
    uint32_t value = 0;
    uint32_t least = 0;
    if ((lead & 0xe0) == 0xc0) {
        length = 2, value = lead & 0x1fu, least = 0x80;
    } else if ((lead & 0xf0) == 0xe0) {
        length = 3, value = lead & 0x0fu, least = 0x800;
    } else if ((lead & 0xf8) == 0xf0) {
        length = 4, value = lead & 0x07u, least = 0x10000;
    } else {
        return {};
    }
    if (text.size() < length) return {};
    for (unsigned i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        value = value << 6 | (byte(i) & 0x3fu);
    }
    const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < least || value > 0x10ffff || is_surrogate) return {};
    return {value, length};
}

bool is_bidi_control(uint32_t code_point) noexcept {
    return code_point == 0x061c || code_point == 0x200e || code_point == 0x200f ||
           (code_point >= 0x202a && code_point <= 0x202e) ||
           (code_point >= 0x2066 && code_point <= 0x2069);
}

std::string printable(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        const bool is_control = (point.value < 0x20 && point.value != '\t') ||
                                (point.value >= 0x7f && point.value < 0xa0);
        const size_t length = point.length_bytes == 0 ? 1 : point.length_bytes;
        if (point.length_bytes == 0 || is_control || is_bidi_control(point.value)) {
            result += '?';
        } else {
            result += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return result;
}

}  // namespace rampart
