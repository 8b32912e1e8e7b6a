// Value: a neutral configuration tree in which every node knows where it stands in its file.
//
// Made by config/document.cc from YAML, read by the builders, matches and targets. A scalar keeps
// its text; whoever needs a port, an address or a duration parses the text (base/scalar.h), so no
// YAML typing ever reaches a rule. Immutable after loading. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rampart {

struct Location {
    uint32_t file = 0;  // index into Diagnostics' list of sources
    uint32_t line = 0;  // 1-based; 0: nowhere
    uint32_t column = 0;
    uint32_t end_column = 0;  // one past the last column to underline, same line
};

class Value {
  public:
    enum class Kind : uint8_t { Null, Scalar, List, Map };
    struct Entry;

    Value() = default;
    static Value scalar(std::string text, bool quoted, Location location);
    static Value null(Location location);
    static Value list(std::vector<Value> items, Location location);
    static Value map(std::vector<Entry> entries, Location location);

    Kind kind() const noexcept { return kind_; }
    bool is_scalar() const noexcept { return kind_ == Kind::Scalar; }
    bool is_list() const noexcept { return kind_ == Kind::List; }
    bool is_map() const noexcept { return kind_ == Kind::Map; }
    bool is_null() const noexcept { return kind_ == Kind::Null; }
    // "a value", "a list", "a mapping", "nothing": for messages.
    std::string_view kind_name() const noexcept;

    const Location& location() const noexcept { return location_; }
    const std::string& text() const noexcept { return text_; }  // of a scalar
    bool is_quoted() const noexcept { return quoted_; }
    const std::vector<Value>& items() const noexcept { return items_; }      // of a list
    const std::vector<Entry>& entries() const noexcept { return entries_; }  // of a map
    const Value* find(std::string_view key) const noexcept;                  // of a map
    const Entry* find_entry(std::string_view key) const noexcept;

  private:
    Kind kind_ = Kind::Null;
    bool quoted_ = false;
    Location location_;
    std::string text_;
    std::vector<Value> items_;
    std::vector<Entry> entries_;
};

struct Value::Entry {
    Value key;  // always a scalar
    Value value;
};

}  // namespace rampart
