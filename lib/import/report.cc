#include "import/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rampart {

uint32_t ImportReport::add_source(std::string path, std::string_view text) {
    Source source{.path = std::move(path), .lines = {}};
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        source.lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    sources_.push_back(std::move(source));
    return static_cast<uint32_t>(sources_.size() - 1);
}

void ImportReport::problem(Origin origin, std::string message, std::string hint) {
    problems_.push_back({origin, std::move(message), std::move(hint)});
}

void ImportReport::remark(Origin origin, std::string message) {
    remarks_.push_back({origin, std::move(message), {}});
}

void ImportReport::remark_once(std::string message) {
    const bool is_said =
        std::any_of(remarks_.begin(), remarks_.end(),
                    [&message](const Entry& entry) { return entry.message == message; });
    if (!is_said) remark({}, std::move(message));
}

std::string ImportReport::line_of(Origin origin) const {
    if (origin.file >= sources_.size()) return {};
    const auto& lines = sources_[origin.file].lines;
    if (origin.line == 0 || origin.line > lines.size()) return {};
    std::string line = printable(lines[origin.line - 1]);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '?')) {
        // A carriage return was made a question mark.
        if (line.back() == '?' && lines[origin.line - 1].back() != '\r') break;
        line.pop_back();
    }
    return line;
}

std::string ImportReport::entry_text(const Entry& entry, std::string_view word) const {
    std::string text;
    if (entry.origin.line == 0) {
        text = fmt::format("{}: {}\n", word, printable(entry.message));
    } else {
        text =
            fmt::format("{}:{}: {}: {}\n    {}\n", sources_[entry.origin.file].path,
                        entry.origin.line, word, printable(entry.message), line_of(entry.origin));
    }
    if (!entry.hint.empty()) text += fmt::format("    hint: {}\n", printable(entry.hint));
    return text;
}

std::string ImportReport::to_text(std::string_view word) const {
    const auto by_place = [](const Entry& a, const Entry& b) { return a.origin < b.origin; };
    std::string text;
    std::vector<Entry> problems = problems_;
    std::stable_sort(problems.begin(), problems.end(), by_place);
    for (const Entry& entry : problems)
        text += entry_text(entry, word);
    std::vector<Entry> remarks = remarks_;
    std::stable_sort(remarks.begin(), remarks.end(), by_place);
    for (const Entry& entry : remarks)
        text += entry_text(entry, "note");
    return text;
}

}  // namespace rampart
