// The reference manual, rendered from the tables that the programs use: the schema, the registries
// of matches and targets, the timeouts, the drop reasons, the reasons for INVALID and the codes.
// Pure, any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rampart {

struct CodeInfo {
    std::string_view code;  // "E002", "W101"; printed as RP-E002
    std::string_view meaning;
};

// A section of the schema, under the title of its chapter.
struct ReferenceSection {
    std::string_view section;
    std::string_view title;
};

// In the order of the manual.
std::span<const ReferenceSection> reference_sections() noexcept;

struct SchemaKey;
// "a number, 1-64": what may stand there.
std::string value_of(const SchemaKey& key);

// Every code that a Diagnostic of this release may carry.
std::span<const CodeInfo> diagnostic_codes() noexcept;

// Markdown, the text of docs/reference.md.
std::string render_reference();

}  // namespace rampart
