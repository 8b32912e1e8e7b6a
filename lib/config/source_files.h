// Source files: the texts of a configuration, the file itself and those that its `include` names.
//
// Patterns are relative to the folder of the including file. The expansion of each is sorted by
// bytes, patterns stand in the order of the list, and a file that is named twice is taken once.
// Included files include nothing themselves. Whoever calls reads with its own rights: a daemon that
// was sent texts never opens a file for them. Control thread or client.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"

namespace rampart {

inline constexpr size_t kMaxFileBytes = 16u << 20;  // of one file, and of all together
inline constexpr size_t kMaxIncluded = 1024;

struct SourceText {
    std::string path;  // used in messages, and to find what is relative to it
    std::string text;
};

struct SourceTexts {
    SourceText main;
    // Nothing: nobody looked for them, so a text that includes others cannot be loaded.
    std::optional<std::vector<SourceText>> included;
};

// A regular file of at most kMaxFileBytes, with all that it includes; else RP-E001 with the reason.
std::optional<SourceTexts> read_source_texts(const std::string& path, Diagnostics& diagnostics);
// Only what `main` includes. What is wrong with its text is left to the loader.
std::optional<std::vector<SourceText>> read_included(const SourceText& main,
                                                     Diagnostics& diagnostics);

}  // namespace rampart
