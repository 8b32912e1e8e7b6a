// MaskedMark: a mark with the bits of it that count, "0x10/0xff", as matches and statements take
// it.
//
// Parsed by the loader, immutable; the rest is on the packet path.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/match.h"

namespace rampart {

struct MaskedMark {
    uint32_t value = 0;
    uint32_t mask = 0xffffffff;

    bool matches(uint32_t mark) const noexcept { return (mark & mask) == value; }
    // As iptables' --set-mark: the bits under the mask are replaced, the others kept.
    uint32_t applied_to(uint32_t mark) const noexcept { return (mark & ~mask) | value; }
};

// "0x10", "16" or either with "/MASK"; nothing when it is not one, or has bits beside its mask.
std::optional<MaskedMark> parse_masked_mark(std::string_view text);
std::string print_masked_mark(const MaskedMark& mark);

// A list of them, for the matches.
struct MaskedMarks {
    std::vector<MaskedMark> marks;

    bool matches(uint32_t mark) const noexcept {
        for (const MaskedMark& one : marks)
            if (one.matches(mark)) return true;
        return false;
    }
};
Arguments parse_masked_marks(const Value& value, ParseContext& context);
std::string print_masked_marks(const Arguments& arguments, const Names& names);
// For statements: one mark. `source` is a further word that is allowed instead, with or without a
// mask ("ct_mark/0xff"): the mark is then copied from there.
struct MarkSetting {
    MaskedMark mark;
    bool copies = false;

    uint32_t applied_to(uint32_t old, uint32_t source) const noexcept {
        return copies ? (old & ~mark.mask) | (source & mark.mask) : mark.applied_to(old);
    }
};
Arguments parse_mark_setting(const Value& value, std::string_view source, ParseContext& context);
std::string print_mark_setting(const Arguments& arguments, std::string_view source);

}  // namespace rampart
