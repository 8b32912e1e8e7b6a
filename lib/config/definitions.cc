#include "config/definitions.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace rampart {

namespace {

// One small list used many times must not become a large tree.
constexpr size_t kMaxExpandedNodes = 1'000'000;

bool is_name(std::string_view word) {
    return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
}

bool is_use(const Value& value) {
    return value.is_scalar() && value.text().starts_with('$') &&
           is_name(std::string_view(value.text()).substr(1));
}

class Definitions {
  public:
    explicit Definitions(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    void read(const Value& section);
    Value expand(const Value& value);
    void warn_of_unused() const;

  private:
    struct Definition {
        const Value* value = nullptr;
        Location place;
        bool is_used = false;
    };

    bool check(const Value& value);
    const Value* look_up(const Value& use);
    Value expand_list(const Value& list);
    Value at(const Value& defined, const Location& place);

    Diagnostics& diagnostics_;
    std::map<std::string, Definition, std::less<>> definitions_;
    size_t expanded_ = 0;
};

void Definitions::read(const Value& section) {
    if (!section.is_map()) {
        diagnostics_.error("E005", section.location(), "'define' takes a mapping of names");
        return;
    }
    for (const Value::Entry& entry : section.entries()) {
        if (!is_name(entry.key.text())) {
            diagnostics_.error("E005", entry.key.location(),
                               fmt::format("{} cannot be a name", quoted(entry.key.text())),
                               "names consist of letters, digits, '_' and '-'");
            continue;
        }
        const bool is_good = check(entry.value);
        // A bad definition is still defined: its uses are not at fault.
        definitions_[entry.key.text()] = {is_good ? &entry.value : nullptr, entry.key.location()};
    }
}

bool Definitions::check(const Value& value) {
    const std::vector<Value> single{value.is_list() ? Value() : value};
    for (const Value& item : value.is_list() ? value.items() : single) {
        if (!item.is_scalar()) {
            diagnostics_.error("E005", item.location(),
                               "a definition is a word or a list of words");
            return false;
        }
        if (is_use(item)) {
            diagnostics_.error("E020", item.location(),
                               "a definition cannot use another definition");
            return false;
        }
    }
    return true;
}

// Null: reported, here or where it was defined.
const Value* Definitions::look_up(const Value& use) {
    const std::string_view name = std::string_view(use.text()).substr(1);
    const auto found = definitions_.find(name);
    if (found == definitions_.end()) {
        std::vector<std::string_view> known;
        for (const auto& [key, definition] : definitions_)
            known.push_back(key);
        std::string hint = did_you_mean(name, known);
        if (hint.empty()) hint = "names are defined under 'define'";
        diagnostics_.error("E020", use.location(),
                           fmt::format("{} is not defined", quoted(use.text())), std::move(hint));
        return nullptr;
    }
    found->second.is_used = true;
    return found->second.value;
}

Value Definitions::at(const Value& defined, const Location& place) {
    if (++expanded_ > kMaxExpandedNodes) {
        if (expanded_ == kMaxExpandedNodes + 1) {
            diagnostics_.error("E020", place, "the definitions expand to too many values");
        }
        return Value::null(place);
    }
    if (defined.is_scalar()) return Value::scalar(defined.text(), defined.is_quoted(), place);
    std::vector<Value> items;
    for (const Value& item : defined.items())
        items.push_back(at(item, place));
    return Value::list(std::move(items), place);
}

Value Definitions::expand_list(const Value& list) {
    std::vector<Value> items;
    for (const Value& item : list.items()) {
        if (!is_use(item)) {
            items.push_back(expand(item));
            continue;
        }
        const Value* defined = look_up(item);
        if (defined == nullptr) continue;
        if (defined->is_scalar()) {
            items.push_back(at(*defined, item.location()));
            continue;
        }
        for (const Value& spliced : defined->items())
            items.push_back(at(spliced, item.location()));
    }
    return Value::list(std::move(items), list.location());
}

Value Definitions::expand(const Value& value) {
    if (value.is_list()) return expand_list(value);
    if (!value.is_map()) return value;
    std::vector<Value::Entry> entries;
    for (const Value::Entry& entry : value.entries()) {
        // An unknown name leaves its key out: one message is enough.
        if (!is_use(entry.value) || entry.key.text() == "comment") {
            Value expanded = expand(entry.value);
            if (expanded.items().empty() && !entry.value.items().empty()) continue;
            entries.push_back({entry.key, std::move(expanded)});
            continue;
        }
        if (const Value* defined = look_up(entry.value)) {
            entries.push_back({entry.key, at(*defined, entry.value.location())});
        }
    }
    return Value::map(std::move(entries), value.location());
}

void Definitions::warn_of_unused() const {
    for (const auto& [name, definition] : definitions_) {
        if (definition.is_used) continue;
        diagnostics_.warning("W106", definition.place,
                             fmt::format("{} is defined but never used", quoted(name)));
    }
}

}  // namespace

Value expand_definitions(const Value& document, Diagnostics& diagnostics) {
    Definitions definitions(diagnostics);
    if (const Value* section = document.find("define")) definitions.read(*section);
    std::vector<Value::Entry> entries;
    for (const Value::Entry& entry : document.entries()) {
        if (entry.key.text() == "define") {
            entries.push_back(entry);
        } else {
            entries.push_back({entry.key, definitions.expand(entry.value)});
        }
    }
    definitions.warn_of_unused();
    return Value::map(std::move(entries), document.location());
}

}  // namespace rampart
