#include "manual/page.h"

#include <algorithm>

#include <fmt/format.h>

namespace rampart {
namespace {

// Of the release, not of the day: pages are compared with what is checked in.
constexpr std::string_view kDate = "2026-11-21";

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return result;
}

// One line of text: no escapes, no requests.
std::string plain(std::string_view text) {
    std::string result;
    if (text.starts_with('.') || text.starts_with('\'')) result = "\\&";
    for (const char c : text) {
        if (c == '\\')
            result += "\\e";
        else if (c == '-')
            result += "\\-";
        else
            result += c == '\n' ? ' ' : c;
    }
    return result;
}

// An argument of a macro.
std::string argument(std::string_view text) {
    std::string result;
    for (const char c : plain(text))
        result += c == '"' ? std::string("\\(dq") : std::string(1, c);
    return '"' + result + '"';
}

}  // namespace

Page::Page(std::string_view name, int section, std::string_view summary) {
    text_ = fmt::format(".TH {} {} {} \"rampart {}\" \"Rampart manual\"\n.SH NAME\n{} \\- {}\n",
                        argument(upper(name)), section, kDate, RAMPART_VERSION, plain(name),
                        plain(summary));
}

void Page::heading(std::string_view title) {
    text_ += fmt::format(".SH {}\n", argument(upper(title)));
}

// A heading begins one by itself.
void Page::begin_paragraph() {
    if (text_.compare(text_.rfind('\n', text_.size() - 2) + 1, 3, ".SH") != 0) text_ += ".PP\n";
}

void Page::paragraph(std::string_view text) {
    begin_paragraph();
    text_ += plain(text) + '\n';
}

void Page::item(std::string_view term, std::string_view value, std::string_view text) {
    text_ += fmt::format(".TP\n\\fB{}\\fR", plain(term));
    if (!value.empty()) text_ += fmt::format(" \\fI{}\\fR", plain(value));
    text_ += '\n';
    if (!text.empty()) text_ += plain(text) + '\n';
}

void Page::line(std::string_view text) {
    text_ += fmt::format(".br\n{}\n", plain(text));
}

void Page::example(std::string_view text) {
    begin_paragraph();
    text_ += ".RS 4\n.nf\n";
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        text_ += plain(text.substr(0, end)) + '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    text_ += ".fi\n.RE\n";
}

}  // namespace rampart
