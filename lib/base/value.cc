#include "base/value.h"

#include <algorithm>

namespace rampart {

Value Value::scalar(std::string text, bool quoted, Location location) {
    Value value;
    value.kind_ = Kind::Scalar;
    value.quoted_ = quoted;
    value.location_ = location;
    value.text_ = std::move(text);
    return value;
}

Value Value::null(Location location) {
    Value value;
    value.location_ = location;
    return value;
}

Value Value::list(std::vector<Value> items, Location location) {
    Value value;
    value.kind_ = Kind::List;
    value.location_ = location;
    value.items_ = std::move(items);
    return value;
}

Value Value::map(std::vector<Entry> entries, Location location) {
    Value value;
    value.kind_ = Kind::Map;
    value.location_ = location;
    value.entries_ = std::move(entries);
    return value;
}

std::string_view Value::kind_name() const noexcept {
    switch (kind_) {
        case Kind::Scalar:
            return "a value";
        case Kind::List:
            return "a list";
        case Kind::Map:
            return "a mapping";
        case Kind::Null:
            break;
    }
    return "nothing";
}

const Value::Entry* Value::find_entry(std::string_view key) const noexcept {
    const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                    [key](const Entry& e) { return e.key.text() == key; });
    return entry == entries_.end() ? nullptr : &*entry;
}

const Value* Value::find(std::string_view key) const noexcept {
    const Entry* entry = find_entry(key);
    return entry ? &entry->value : nullptr;
}

}  // namespace rampart
