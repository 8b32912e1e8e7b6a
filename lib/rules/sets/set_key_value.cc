#include "rules/sets/set_key_value.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/scalar.h"
#include "rules/words.h"

namespace rampart {
namespace {

std::optional<std::vector<SetField>> parse_fields(const Value& value, ParseContext& context) {
    const std::vector<std::string_view> names = set_field_names();
    std::vector<SetField> fields;
    for (const Value* item : scalars_of(value, "a part of the packet", context)) {
        const auto name = std::find(names.begin(), names.end(), item->text());
        if (name == names.end()) {
            std::string hint = did_you_mean(item->text(), names);
            if (hint.empty()) hint = "one of: " + listed(names);
            context.diagnostics.error(
                "E007", item->location(),
                fmt::format("{} is no part of a packet", quoted(item->text())), std::move(hint));
            return std::nullopt;
        }
        fields.push_back(static_cast<SetField>(name - names.begin()));
    }
    if (fields.empty()) return std::nullopt;
    return fields;
}

std::vector<SetField> fields_for(const SetType& type, SetKeyOptions options) {
    std::vector<SetField> fields = default_fields(type);
    if (options != SetKeyOptions::Match && fields.size() == 1 && fields[0] == SetField::Dst)
        fields[0] = SetField::Src;
    return fields;
}

bool check_keys(const Value& value, SetKeyOptions options, ParseContext& context) {
    bool good = true;
    std::vector<std::string_view> known = {"set", "key"};
    if (options == SetKeyOptions::ChangeWithTimeout) known.push_back("timeout");
    for (const Value::Entry& entry : value.entries()) {
        if (std::find(known.begin(), known.end(), entry.key.text()) != known.end()) continue;
        std::string hint = did_you_mean(entry.key.text(), known);
        if (hint.empty()) hint = "known keys: " + listed(known);
        context.diagnostics.error(
            "E002", entry.key.location(),
            fmt::format("unknown key {} in '{}'", quoted(entry.key.text()), context.key),
            std::move(hint));
        good = false;
    }
    return good;
}

std::string print_key(const SetUse& use) {
    std::vector<std::string> words;
    for (unsigned i = 0; i < use.count; ++i)
        words.emplace_back(to_string(use.fields[i]));
    return print_words(words);
}

}  // namespace

std::optional<SetKeyValue> parse_set_key(const Value& value, SetKeyOptions options,
                                         ParseContext& context) {
    const bool is_change = options != SetKeyOptions::Match;
    const Value* name = value.is_map() ? value.find("set") : &value;
    if (name == nullptr || !name->is_scalar() || (!is_change && !name->text().starts_with('@'))) {
        context.diagnostics.error(
            "E005", name != nullptr ? name->location() : value.location(),
            fmt::format("'{}' takes the name of a set", context.key),
            is_change ? "add_to: { set: scanners, key: src }" : "match: \"@pinned\"");
        return std::nullopt;
    }
    if (value.is_map() && !check_keys(value, options, context)) return std::nullopt;
    const auto handle = find_set(name->text(), name->location(), context);
    if (handle == nullptr) return std::nullopt;
    std::vector<SetField> fields = fields_for(handle->set->type(), options);
    if (const Value* key = value.is_map() ? value.find("key") : nullptr) {
        auto given = parse_fields(*key, context);
        if (!given) return std::nullopt;
        fields = std::move(*given);
    }
    auto use = use_set(handle, fields, name->location(), context);
    if (!use) return std::nullopt;
    SetKeyValue result{std::move(*use), 0, {}};
    const std::string& word = handle->set->options().name;
    if (is_change && !handle->set->is_dynamic()) {
        context.diagnostics.error("E019", name->location(),
                                  fmt::format("rules cannot change the set {}", quoted(word)),
                                  "say  dynamic: true  in its definition");
        return std::nullopt;
    }
    std::string timeout;
    if (const Value* given = value.is_map() ? value.find("timeout") : nullptr) {
        const auto seconds = given->is_scalar() ? parse_duration_s(given->text()) : std::nullopt;
        if (!seconds || *seconds < 1 || *seconds > kMaxTimeout_s) {
            context.diagnostics.error("E010", given->location(),
                                      "'timeout' takes a duration from 1s to 231 days",
                                      "30s, 5m, 2h4m");
            return std::nullopt;
        }
        result.timeout_s = *seconds;
        timeout = ", timeout: " + format_duration(*seconds);
    }
    result.text = fmt::format("{{ set: {}, key: {}{} }}", print_word(is_change ? word : "@" + word),
                              print_key(result.use), timeout);
    return result;
}

}  // namespace rampart
