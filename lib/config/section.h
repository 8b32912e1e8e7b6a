// Section: one mapping of the configuration, read under the control of the schema.
//
// The constructor reports unknown keys and keys that are not built yet; the accessors report values
// of a wrong type or out of range and then return nothing, as for an absent key. A Section of a
// value that is no mapping has no keys.
// Control thread, for the time of loading.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/value.h"

namespace rampart {

// "'limit' is not built yet in this release".
void report_not_built(std::string_view word, const Location& at, Diagnostics& diagnostics);

class Section {
  public:
    // `section` is the name in the schema, `title` the words for messages ("'conntrack'").
    // `value` may be null: an absent section.
    Section(const Value* value, std::string_view section, std::string title,
            Diagnostics& diagnostics);

    // Null when the key is absent.
    const Value* find(std::string_view key) const;
    const Value::Entry* find_entry(std::string_view key) const;

    std::optional<uint64_t> number(std::string_view key) const;
    std::optional<bool> flag(std::string_view key) const;
    std::optional<uint64_t> size_bytes(std::string_view key) const;
    const std::string* text(std::string_view key) const;
    // One of `words`, as an index.
    std::optional<size_t> choice(std::string_view key,
                                 const std::vector<std::string_view>& words) const;
    // The scalars of a list; a single scalar counts as a list of one.
    std::vector<const Value*> words(std::string_view key) const;

  private:
    const Value* scalar(std::string_view key) const;
    void check_keys() const;

    const Value* value_;
    std::string_view section_;
    std::string title_;
    Diagnostics& diagnostics_;
};

}  // namespace rampart
