#include "base/diagnostics.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rampart {

namespace {

constexpr size_t kMaxShownLine = 200;  // bytes of a source line that are printed
constexpr size_t kMaxQuotedWord = 60;  // bytes of a word that are repeated in a message
constexpr size_t kMaxListedWords = 20;
constexpr std::string_view kNowhere = "configuration";

std::string_view to_string(Severity severity) noexcept {
    switch (severity) {
        case Severity::Error:
            return "error";
        case Severity::Warning:
            return "warning";
        case Severity::Note:
            break;
    }
    return "note";
}

// The source line and the caret under `column`, each indented by four.
std::string excerpt(std::string_view line, size_t column) {
    size_t offset = std::min<size_t>(column == 0 ? 0 : column - 1, line.size());
    if (line.size() > kMaxShownLine) {
        const size_t start = offset > kMaxShownLine / 2 ? offset - kMaxShownLine / 2 : 0;
        line = line.substr(start, kMaxShownLine);
        offset -= start;
    }
    // The caret line repeats tabs and gives one column to each character, whatever its bytes.
    std::string padding;
    for (const char c : printable(line.substr(0, offset))) {
        if ((static_cast<uint8_t>(c) & 0xc0) != 0x80) padding += c == '\t' ? '\t' : ' ';
    }
    return fmt::format("    {}\n    {}^\n", printable(line), padding);
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

// Edit distance with transpositions of neighbours (optimal string alignment).
size_t distance(std::string_view a, std::string_view b) {
    std::vector<size_t> two_ago(b.size() + 1), before(b.size() + 1), row(b.size() + 1);
    std::iota(before.begin(), before.end(), size_t{0});
    for (size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t change = before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({before[j] + 1, row[j - 1] + 1, change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], two_ago[j - 2] + 1);
            }
        }
        std::swap(two_ago, before);
        std::swap(before, row);
    }
    return before[b.size()];
}

}  // namespace

uint32_t Diagnostics::add_source(std::string path, std::string text) {
    Source source;
    source.path = std::move(path);
    std::string_view rest = text;
    while (!rest.empty()) {
        const size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        source.lines.emplace_back(line);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    sources_.push_back(std::move(source));
    return static_cast<uint32_t>(sources_.size() - 1);
}

void Diagnostics::error(std::string_view code, Location location, std::string message,
                        std::string hint) {
    ++error_count_;
    add(Severity::Error, code, location, std::move(message), std::move(hint));
}

void Diagnostics::warning(std::string_view code, Location location, std::string message,
                          std::string hint) {
    ++warning_count_;
    add(Severity::Warning, code, location, std::move(message), std::move(hint));
}

void Diagnostics::add(Severity severity, std::string_view code, Location location,
                      std::string message, std::string hint) {
    const Diagnostic diagnostic{severity, std::string(code), location, std::move(message),
                                std::move(hint)};
    if (diagnostics_.size() < kMaxDiagnostics) {
        diagnostics_.push_back(diagnostic);
        return;
    }
    if (severity != Severity::Error) return;
    // Warnings must not hide the reason why a file was refused.
    const auto warning = std::find_if(diagnostics_.rbegin(), diagnostics_.rend(),
                                      [](const auto& d) { return d.severity != Severity::Error; });
    if (warning != diagnostics_.rend()) *warning = diagnostic;
}

const std::string& Diagnostics::path_of(const Location& location) const {
    static const std::string kNone(kNowhere);
    return location.file < sources_.size() ? sources_[location.file].path : kNone;
}

std::string Diagnostics::place(const Location& location) const {
    return fmt::format("{}:{}", path_of(location), location.line);
}

std::string Diagnostics::seen_from(const Location& here, const Location& other) const {
    return here.file == other.file ? fmt::format("line {}", other.line) : place(other);
}

std::string Diagnostics::to_text() const {
    std::vector<const Diagnostic*> sorted;
    for (const Diagnostic& diagnostic : diagnostics_)
        sorted.push_back(&diagnostic);
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
        const Location& left = a->location;
        const Location& right = b->location;
        return std::tie(left.file, left.line, left.column) <
               std::tie(right.file, right.line, right.column);
    });
    std::string text;
    for (const Diagnostic* diagnostic : sorted) {
        const Location& at = diagnostic->location;
        text += printable(path_of(at));
        if (at.line != 0) text += fmt::format(":{}:{}", at.line, at.column);
        text += fmt::format(": {}: {}\n", to_string(diagnostic->severity),
                            printable(diagnostic->message));
        if (at.line != 0 && at.file < sources_.size() &&
            at.line <= sources_[at.file].lines.size()) {
            text += excerpt(sources_[at.file].lines[at.line - 1], at.column);
        }
        if (!diagnostic->hint.empty()) {
            text += fmt::format("    hint: {}\n", printable(diagnostic->hint));
        }
    }
    return text;
}

std::string Diagnostics::summary() const {
    const auto count = [](size_t number, std::string_view noun) {
        return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
    };
    std::string text;
    if (error_count_ != 0) text = count(error_count_, "error");
    if (warning_count_ != 0) {
        if (!text.empty()) text += ", ";
        text += count(warning_count_, "warning");
    }
    return text;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known) {
    constexpr size_t kLongestWord = 40;
    if (word.size() < 2 || word.size() > kLongestWord) return {};
    const std::string wanted = lower(word);
    // Two edits turn any short word into any other.
    const size_t limit = word.size() <= 3 ? 1 : 2;
    std::string_view best;
    size_t best_distance = limit + 1;
    for (const std::string_view candidate : known) {
        if (candidate.size() > wanted.size() + limit) continue;
        const size_t d = distance(wanted, lower(candidate));
        if (d < best_distance) {
            best = candidate;
            best_distance = d;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
    const std::string_view best = nearest(word, known);
    return best.empty() ? std::string() : fmt::format("did you mean '{}'?", best);
}

std::string listed(const std::vector<std::string_view>& words) {
    std::string text;
    for (size_t i = 0; i < words.size(); ++i) {
        if (i != 0) text += ", ";
        if (i == kMaxListedWords) return text + "...";
        text += words[i];
    }
    return text;
}

std::string quoted(std::string_view word) {
    if (word.size() <= kMaxQuotedWord) return fmt::format("'{}'", word);
    // Cutting inside a character is harmless: the rest of it is printed as '?'.
    return fmt::format("'{}...'", word.substr(0, kMaxQuotedWord));
}

}  // namespace rampart
