#include "config/source_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rampart {

namespace {

// Why this character may not stand in a configuration, or empty.
std::string_view problem_of(const CodePoint& point, std::string_view after) {
    if (point.length_bytes == 0) return "bytes that are not UTF-8";
    if (point.value == 0) return "a NUL byte";
    if (is_bidi_control(point.value)) return "a character that reorders the text around it";
    const bool is_line_end =
        point.value == '\n' || (point.value == '\r' && after.starts_with('\n'));
    const bool is_white = point.value == '\t' || is_line_end;
    if (point.value < 0x20 && !is_white) return "a control character";
    // NEL, LINE and PARAGRAPH SEPARATOR end a line for some readers and not for others.
    const bool is_c1 = point.value >= 0x7f && point.value < 0xa0;
    if (is_c1 || point.value == 0x2028 || point.value == 0x2029) return "a control character";
    return {};
}

// Brackets that are open at the same time. The parser reads ahead until they close; where they
// stand in quotes or comments does not matter at this size.
constexpr size_t kMaxOpenBrackets = 1024;

}  // namespace

bool check_source_text(std::string_view text, uint32_t file, Diagnostics& diagnostics) {
    Location at{.file = file, .line = 1, .column = 1, .end_column = 2};
    size_t open_brackets = 0;
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        const std::string_view problem =
            problem_of(point, text.substr(std::max(point.length_bytes, 1u)));
        if (!problem.empty()) {
            diagnostics.error("E001", at, fmt::format("the file holds {}", problem),
                              "a configuration is plain UTF-8 text");
            return false;
        }
        if (point.value == '[' || point.value == '{') ++open_brackets;
        if ((point.value == ']' || point.value == '}') && open_brackets != 0) --open_brackets;
        if (open_brackets > kMaxOpenBrackets) {
            diagnostics.error("E001", at,
                              fmt::format("more than {} brackets are open", kMaxOpenBrackets));
            return false;
        }
        text.remove_prefix(point.length_bytes);
        at.column += point.length_bytes;
        if (point.value == '\n') {
            ++at.line;
            at.column = 1;
        }
        at.end_column = at.column + 1;
    }
    return true;
}

}  // namespace rampart
