#include "control/iptables_words.h"

#include <algorithm>
#include <cctype>

namespace rampart {

namespace {

std::string unquoted(std::string_view text) {
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ')
        text.remove_suffix(1);
    if (text.size() < 2 || text.front() != '"') return std::string(text);
    std::string result;
    for (size_t i = 1; i + 1 < text.size(); ++i) {
        if (text[i] == '\\' && i + 2 < text.size()) ++i;
        result += text[i];
    }
    return result;
}

// The parts between commas that stand in no brackets and no quotation marks.
std::vector<std::string_view> parts_of(std::string_view text) {
    std::vector<std::string_view> parts;
    size_t begin = 0;
    int depth = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"' && (i == 0 || text[i - 1] != '\\')) is_quoted = !is_quoted;
        if (is_quoted) continue;
        if (text[i] == '[' || text[i] == '{') ++depth;
        if (text[i] == ']' || text[i] == '}') --depth;
        if (text[i] != ',' || depth != 0) continue;
        parts.push_back(text.substr(begin, i - begin));
        begin = i + 1;
    }
    parts.push_back(text.substr(begin));
    return parts;
}

}  // namespace

std::vector<std::string> words_of(std::string_view printed) {
    std::vector<std::string> words;
    if (printed.size() >= 2 && printed.front() == '[')
        printed = printed.substr(1, printed.size() - 2);
    for (const std::string_view part : parts_of(printed))
        words.push_back(unquoted(part));
    return words;
}

std::string field_of(std::string_view mapping, std::string_view key) {
    if (mapping.size() < 2 || mapping.front() != '{') return {};
    for (std::string_view part : parts_of(mapping.substr(1, mapping.size() - 2))) {
        part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
        const size_t colon = part.find(':');
        if (part.substr(0, colon) == key) return unquoted(part.substr(colon + 1));
    }
    return {};
}

std::string upper_case(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return result;
}

std::string quoted_text(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c == '\n' ? ' ' : c;
    }
    return result + '"';
}

std::string port_text(std::string_view word) {
    std::string text(word);
    std::replace(text.begin(), text.end(), '-', ':');
    return text;
}

std::string rate_text(std::string_view word) {
    std::string text(word);
    for (const std::string_view unit : {"/second", "/minute"}) {
        if (const size_t at = text.find(unit); at != text.npos) text.erase(at + 4, 3);
    }
    return text;
}

std::optional<Family> family_of_word(std::string_view address) {
    const std::string_view first = address.substr(0, address.find_first_of("-/"));
    const auto parsed = IpAddress::parse(first);
    if (!parsed) return std::nullopt;
    return parsed->family;
}

}  // namespace rampart
