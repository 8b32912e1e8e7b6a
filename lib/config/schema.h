// Schema: one table of every key outside the matches and targets of rules.
//
// A key has a section ("" is the top level, "interfaces.*" any interface, "rule" any rule), a type,
// a range, a default and a help text. The table drives the messages about unknown keys, the range
// checks of config/section.h and the reference manual. A key that the language has but this
// release does not is in it too, with `built` false, so that nothing is ignored in silence.
// Constant, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace rampart {

enum class KeyType : uint8_t { Map, List, Text, Number, Switch, Duration, Size };

struct SchemaKey {
    std::string_view section;
    std::string_view name;
    KeyType type;
    bool built;
    // Inclusive; of numbers, durations (seconds) and sizes (bytes).
    uint64_t min;
    uint64_t max;
    std::string_view default_text;
    std::string_view help;
    // "keep|recheck": the only values of a word that has choices.
    std::string_view words = {};
};

std::span<const SchemaKey> schema_keys() noexcept;
const SchemaKey* find_schema_key(std::string_view section, std::string_view name) noexcept;
// The names of a section, built or not.
std::vector<std::string_view> schema_names(std::string_view section);
// "a number", "a list": for messages and the manual.
std::string_view to_string(KeyType type) noexcept;

}  // namespace rampart
