// Set files: the elements of a set, one a line; `#` begins a comment, empty lines are skipped.
//
// Read in pieces, because they may be much larger than a configuration. Messages name the line but
// never show its text: the daemon opens the file with its own rights, for whoever may apply a
// configuration. Control thread or client.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/sets/named_set.h"

namespace rampart {

inline constexpr uint64_t kMaxSetFileBytes = 256u << 20;
inline constexpr size_t kMaxSetFileProblems = 10;

// What is wrong with a line, without its text.
struct LineProblem {
    uint32_t line = 0;  // 0: the file as a whole
    std::string code;
    std::string message;
    std::string hint;
};

// Calls `take` with the text of each element, until it found kMaxSetFileProblems wrong.
// `take` fills code, message and hint and returns false when it is.
std::vector<LineProblem> read_set_file(
    const std::string& path,
    const std::function<bool(std::string_view element, LineProblem& problem)>& take);

// Adds the elements of `options.file`; what is left out has a problem.
std::vector<LineProblem> read_set_contents(const SetOptions& options, const Names& names,
                                           SetContents& contents);

}  // namespace rampart
