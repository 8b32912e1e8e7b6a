// Diagnostics: everything that is wrong with a configuration, collected in one run.
//
// Each problem has a severity, a stable code (E002, for programs), a place, a message and possibly
// a hint, and is printed as `FILE:LINE:COL: error: ...` with the source line, a caret and the hint.
// At most kMaxDiagnostics are kept; the rest are counted. Codes are listed in docs/reference.md.
// One thread at a time (the loader's).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace rampart {

enum class Severity : uint8_t { Error, Warning, Note };

struct Diagnostic {
    Severity severity;
    std::string code;  // "E002", "W101"
    Location location;
    std::string message;
    std::string hint;
};

class Diagnostics {
  public:
    static constexpr size_t kMaxDiagnostics = 50;

    // Returns the index that Locations of this file carry.
    uint32_t add_source(std::string path, std::string text);

    void error(std::string_view code, Location location, std::string message,
               std::string hint = {});
    void warning(std::string_view code, Location location, std::string message,
                 std::string hint = {});

    bool has_errors() const noexcept { return error_count_ != 0; }
    size_t error_count() const noexcept { return error_count_; }
    size_t warning_count() const noexcept { return warning_count_; }
    const std::vector<Diagnostic>& all() const noexcept { return diagnostics_; }
    const std::string& path_of(const Location& location) const;

    // Sorted by place; one block per problem.
    std::string to_text() const;
    // "3 errors, 1 warning"; empty when there is nothing to say.
    std::string summary() const;
    // "FILE:LINE" of a place, for rule listings.
    std::string place(const Location& location) const;
    // "line 7", or "FILE:7" in a message about another file: where else something stands.
    std::string seen_from(const Location& here, const Location& other) const;

  private:
    struct Source {
        std::string path;
        std::vector<std::string> lines;
    };
    void add(Severity severity, std::string_view code, Location location, std::string message,
             std::string hint);

    std::vector<Source> sources_;
    std::vector<Diagnostic> diagnostics_;
    size_t error_count_ = 0;
    size_t warning_count_ = 0;
};

// The entry of `known` nearest to `word` (edit distance at most 2, or equal without case), or
// empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

// "did you mean 'state'?", or empty: the hint for an unknown word.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known);
// "a, b, c" for hints; a long list ends with "...".
std::string listed(const std::vector<std::string_view>& words);
// The word in single quotes, shortened when it is long: for messages.
std::string quoted(std::string_view word);

}  // namespace rampart
