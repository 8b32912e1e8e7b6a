// Whether this release loads what the import wrote.
//
// The document is loaded here as `rampartctl check` would, with virtual devices in the place of
// those that the user fills in. A rule that does not load is refused: what the language has and
// this release does not, and whatever the translation got wrong. So what an import writes without
// a complaint loads.
// One thread.
#pragma once

#include "import/write_yaml.h"

namespace rampart {

// Refuses rules in `document` until the rest loads.
void refuse_what_does_not_load(ImportedDocument& document, const SetCatalogue& sets,
                               const std::vector<InterfaceMapping>& interfaces,
                               ImportReport& report);

}  // namespace rampart
