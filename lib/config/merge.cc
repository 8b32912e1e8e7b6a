#include "config/merge.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

namespace rampart {

namespace {

constexpr std::string_view kNamedSections[] = {"define", "interfaces", "zones",
                                               "sets",   "chains",     "nat"};
// Said by each file for itself.
constexpr std::string_view kOwnKeys[] = {"version", "include"};

template <typename Words>
bool contains(const Words& words, std::string_view word) {
    return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

class Merger {
  public:
    explicit Merger(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    void add(const Value& document, bool is_first);
    Value take(const Location& at);

  private:
    struct Section {
        Value key;
        Value whole;  // of a section that is not united
        bool is_united = false;
        std::vector<Value::Entry> entries;
        std::unordered_map<std::string, Location> places;
    };

    void unite(Section& section, const Value::Entry& entry);
    void report(const std::string& word, const Location& at, const Location& first,
                std::string_view hint);

    Diagnostics& diagnostics_;
    std::vector<Section> sections_;
};

void Merger::add(const Value& document, bool is_first) {
    for (const Value::Entry& entry : document.entries()) {
        const std::string& word = entry.key.text();
        if (!is_first && contains(kOwnKeys, word)) continue;
        const auto known =
            std::find_if(sections_.begin(), sections_.end(),
                         [&word](const Section& section) { return section.key.text() == word; });
        const bool is_united = contains(kNamedSections, word) && entry.value.is_map();
        if (known == sections_.end()) {
            Section section{entry.key, {}, is_united, {}, {}};
            if (!is_united) section.whole = entry.value;
            sections_.push_back(std::move(section));
            if (is_united) unite(sections_.back(), entry);
        } else if (is_united && known->is_united) {
            unite(*known, entry);
        } else if (contains(kNamedSections, word) && !entry.value.is_map()) {
            diagnostics_.error(
                "E005", entry.value.location(),
                fmt::format("'{}' takes a mapping, not {}", word, entry.value.kind_name()));
        } else {
            report(word, entry.key.location(), known->key.location(),
                   "; this section stands in one file");
        }
    }
}

void Merger::unite(Section& section, const Value::Entry& entry) {
    for (const Value::Entry& named : entry.value.entries()) {
        const auto [first, is_new] = section.places.emplace(named.key.text(), named.key.location());
        if (is_new)
            section.entries.push_back(named);
        else
            report(named.key.text(), named.key.location(), first->second, "");
    }
}

void Merger::report(const std::string& word, const Location& at, const Location& first,
                    std::string_view hint) {
    diagnostics_.error("E021", at, fmt::format("{} is defined twice", quoted(word)),
                       fmt::format("first defined at {}{}", diagnostics_.place(first), hint));
}

Value Merger::take(const Location& at) {
    std::vector<Value::Entry> entries;
    for (Section& section : sections_) {
        Value value = section.is_united
                          ? Value::map(std::move(section.entries), section.key.location())
                          : std::move(section.whole);
        entries.push_back({std::move(section.key), std::move(value)});
    }
    return Value::map(std::move(entries), at);
}

}  // namespace

Value merge_documents(std::vector<Value> documents, Diagnostics& diagnostics) {
    if (documents.size() == 1) return std::move(documents.front());
    Merger merger(diagnostics);
    for (const Value& document : documents)
        merger.add(document, &document == &documents.front());
    return merger.take(documents.front().location());
}

}  // namespace rampart
