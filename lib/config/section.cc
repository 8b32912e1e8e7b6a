#include "config/section.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/scalar.h"
#include "config/schema.h"

namespace rampart {

void report_not_built(std::string_view word, const Location& at, Diagnostics& diagnostics) {
    diagnostics.error("E030", at, fmt::format("'{}' is not built yet in this release", word));
}

Section::Section(const Value* value, std::string_view section, std::string title,
                 Diagnostics& diagnostics)
    : value_(value), section_(section), title_(std::move(title)), diagnostics_(diagnostics) {
    if (value_ == nullptr) return;
    if (value_->is_map()) {
        check_keys();
        return;
    }
    diagnostics_.error("E005", value_->location(),
                       fmt::format("{} takes a mapping, not {}", title_, value_->kind_name()));
    value_ = nullptr;
}

void Section::check_keys() const {
    for (const Value::Entry& entry : value_->entries()) {
        const std::string& word = entry.key.text();
        const SchemaKey* key = find_schema_key(section_, word);
        if (key == nullptr) {
            const auto names = schema_names(section_);
            std::string hint = did_you_mean(word, names);
            if (hint.empty()) hint = "known keys: " + listed(names);
            diagnostics_.error("E002", entry.key.location(),
                               fmt::format("unknown key {} in {}", quoted(word), title_),
                               std::move(hint));
        } else if (!key->built) {
            report_not_built(word, entry.key.location(), diagnostics_);
        }
    }
}

const Value::Entry* Section::find_entry(std::string_view key) const {
    return value_ == nullptr ? nullptr : value_->find_entry(key);
}

const Value* Section::find(std::string_view key) const {
    const Value::Entry* entry = find_entry(key);
    return entry == nullptr ? nullptr : &entry->value;
}

const Value* Section::scalar(std::string_view key) const {
    const Value* value = find(key);
    if (value == nullptr || value->is_scalar()) return value;
    const SchemaKey* schema = find_schema_key(section_, key);
    diagnostics_.error(
        "E005", value->location(),
        fmt::format("'{}' takes {}, not {}", key, to_string(schema->type), value->kind_name()));
    return nullptr;
}

std::optional<uint64_t> Section::number(std::string_view key) const {
    const Value* value = scalar(key);
    if (value == nullptr) return std::nullopt;
    const SchemaKey* schema = find_schema_key(section_, key);
    const auto number = parse_decimal(value->text(), schema->max);
    if (number && *number >= schema->min) return number;
    diagnostics_.error("E005", value->location(),
                       fmt::format("{} is not a number from {} to {}", quoted(value->text()),
                                   schema->min, schema->max));
    return std::nullopt;
}

std::optional<bool> Section::flag(std::string_view key) const {
    const Value* value = scalar(key);
    if (value == nullptr) return std::nullopt;
    if (const auto flag = parse_bool(value->text())) return flag;
    diagnostics_.error("E005", value->location(),
                       fmt::format("'{}' is true or false, not {}", key, quoted(value->text())));
    return std::nullopt;
}

std::optional<uint64_t> Section::size_bytes(std::string_view key) const {
    const Value* value = scalar(key);
    if (value == nullptr) return std::nullopt;
    const SchemaKey* schema = find_schema_key(section_, key);
    const auto size = parse_size_bytes(value->text());
    if (size && *size >= schema->min && *size <= schema->max) return size;
    diagnostics_.error("E005", value->location(),
                       fmt::format("{} is not a size from {}M to {}M", quoted(value->text()),
                                   schema->min >> 20, schema->max >> 20),
                       "write it as 512M or 2G");
    return std::nullopt;
}

const std::string* Section::text(std::string_view key) const {
    const Value* value = scalar(key);
    return value == nullptr ? nullptr : &value->text();
}

std::optional<size_t> Section::choice(std::string_view key,
                                      const std::vector<std::string_view>& words) const {
    const Value* value = scalar(key);
    if (value == nullptr) return std::nullopt;
    const auto found = std::find(words.begin(), words.end(), value->text());
    if (found != words.end()) return static_cast<size_t>(found - words.begin());
    std::string hint = did_you_mean(value->text(), words);
    if (hint.empty()) hint = "one of: " + listed(words);
    diagnostics_.error("E005", value->location(),
                       fmt::format("unknown '{}' {}", key, quoted(value->text())), std::move(hint));
    return std::nullopt;
}

std::vector<const Value*> Section::words(std::string_view key) const {
    const Value* value = find(key);
    if (value == nullptr) return {};
    if (value->is_scalar()) return {value};
    std::vector<const Value*> words;
    if (value->is_list()) {
        for (const Value& item : value->items()) {
            if (item.is_scalar()) words.push_back(&item);
        }
        if (words.size() == value->items().size()) return words;
    }
    diagnostics_.error(
        "E005", value->location(),
        fmt::format("'{}' takes a list of words, not {}", key,
                    value->is_list() ? "a list of lists or mappings" : value->kind_name()));
    return {};
}

}  // namespace rampart
