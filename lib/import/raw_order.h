// What `notrack` means: in iptables and nft a packet goes on through `raw` behind it and may still
// be dropped there; in the language it is the end of `raw`. One thread.
#pragma once

#include "import/document.h"

namespace rampart {

// Refuses the rules behind which `raw` may still drop a packet of theirs.
void refuse_early_notrack(ImportedDocument& document, ImportReport& report);

}  // namespace rampart
