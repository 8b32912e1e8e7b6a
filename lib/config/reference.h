// The reference manual of the configuration language, rendered from the tables that read it:
// the schema, the registries of matches and targets, the timeouts and the list of codes.
// Control thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rampart {

struct CodeInfo {
    std::string_view code;  // "E002", "W101"; printed as RP-E002
    std::string_view meaning;
};

// Every code that a Diagnostic of this release may carry.
std::span<const CodeInfo> diagnostic_codes() noexcept;

// Markdown, the text of docs/reference.md.
std::string render_reference();

}  // namespace rampart
