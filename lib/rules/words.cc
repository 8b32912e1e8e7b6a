#include "rules/words.h"

#include <algorithm>

#include <fmt/format.h>

namespace rampart {

namespace {

// What makes YAML read something else than the text.
bool needs_quotes(std::string_view word) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '/' || c == '-';
    };
    if (word.empty() || word == "null" || word == "~" || word.starts_with('-')) return true;
    return !std::all_of(word.begin(), word.end(), is_plain);
}

void report_kind(const Value& value, std::string_view wanted, ParseContext& context) {
    std::string hint;
    // Unquoted `fe80::` in a list is a mapping with the key "fe80:" to YAML.
    if (value.is_map() && !value.entries().empty()) {
        hint = "a word with a colon (an IPv6 address, for example) needs quotes";
    }
    if (value.is_list()) hint = "write one list, without lists inside";
    context.diagnostics.error("E005", value.location(),
                              fmt::format("expected {}, found {}", wanted, value.kind_name()),
                              std::move(hint));
}

}  // namespace

std::vector<const Value*> scalars_of(const Value& value, std::string_view wanted,
                                     ParseContext& context) {
    if (value.is_scalar()) return {&value};
    if (!value.is_list()) {
        report_kind(value, fmt::format("{} or a list", wanted), context);
        return {};
    }
    if (value.items().empty()) {
        context.diagnostics.error("E005", value.location(),
                                  fmt::format("an empty list matches nothing; expected {}", wanted),
                                  "leave the key out to match anything");
        return {};
    }
    std::vector<const Value*> scalars;
    for (const Value& item : value.items()) {
        if (!item.is_scalar()) {
            report_kind(item, wanted, context);
            return {};
        }
        scalars.push_back(&item);
    }
    return scalars;
}

std::string print_word(std::string_view word) {
    if (!needs_quotes(word)) return std::string(word);
    std::string text = "\"";
    for (const char c : word) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text + '"';
}

std::string print_words(const std::vector<std::string>& words) {
    if (words.size() == 1) return print_word(words[0]);
    std::string text = "[";
    for (const std::string& word : words) {
        if (text.size() > 1) text += ", ";
        text += print_word(word);
    }
    return text + "]";
}

uint32_t parse_word_set(const Value& value, std::string_view what,
                        const std::vector<std::string_view>& names, ParseContext& context) {
    uint32_t set = 0;
    bool good = true;
    for (const Value* item : scalars_of(value, fmt::format("a {}", what), context)) {
        const auto name = std::find(names.begin(), names.end(), item->text());
        if (name != names.end()) {
            set |= 1u << (name - names.begin());
            continue;
        }
        good = false;
        std::string hint = item->text().find(',') != std::string::npos
                               ? "write a list: [a, b]"
                               : did_you_mean(item->text(), names);
        if (hint.empty()) hint = "one of: " + listed(names);
        context.diagnostics.error("E007", item->location(),
                                  fmt::format("unknown {} {}", what, quoted(item->text())),
                                  std::move(hint));
    }
    return good ? set : 0;
}

std::string print_word_set(uint32_t set, const std::vector<std::string_view>& names) {
    std::vector<std::string> words;
    for (size_t i = 0; i < names.size(); ++i) {
        if (set >> i & 1) words.emplace_back(names[i]);
    }
    return print_words(words);
}

}  // namespace rampart
