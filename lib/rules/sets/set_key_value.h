// The value of `match`, `add_to` and `delete_from`: a set, and what of the packet it is about.
//
//   "@pinned"   { set: "@pinned", key: [src, sport] }   { set: scanners, key: src, timeout: 10m }
//
// Control thread only.
#pragma once

#include <optional>
#include <string>

#include "rules/sets/set_use.h"

namespace rampart {

// What may be written; Change: the set is changed, so it must be dynamic; its key is `src` unless
// given, where it has one part.
enum class SetKeyOptions : uint8_t { Match, Change, ChangeWithTimeout };

struct SetKeyValue {
    SetUse use;
    uint32_t timeout_s = 0;  // 0: not given
    std::string text;        // prints as the value
};

// Nothing: reported.
std::optional<SetKeyValue> parse_set_key(const Value& value, SetKeyOptions options,
                                         ParseContext& context);

}  // namespace rampart
