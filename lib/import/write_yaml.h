// The writer: an ImportedDocument as a configuration file, one rule a line in flow style.
//
// What was left out stands as a comment at its place. The lines of rules are remembered, so that
// what the loader says about a line can be said about the line of the dump.
// One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "import/document.h"
#include "import/interface_mapping.h"
#include "import/set_catalogue.h"

namespace rampart {

struct WrittenDocument {
    std::string text;
    std::map<uint32_t, ImportedRule*> rule_at_line;
};

struct WriteOptions {
    std::string title;  // for the first line
    bool counters = false;
    // Loads anywhere: devices are virtual ones.
    bool placeholders_load = false;
};

// `document` outlives the result.
WrittenDocument write_yaml(ImportedDocument& document, const SetCatalogue& sets,
                           const std::vector<InterfaceMapping>& interfaces,
                           const ImportReport& report, const WriteOptions& options);

// The rule in flow style, "{ in: eth0, action: accept }".
std::string rule_text(const ImportedRule& rule);

}  // namespace rampart
