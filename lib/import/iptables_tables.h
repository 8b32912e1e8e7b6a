// The tables of one dump become chains of the language.
//
//   filter INPUT, FORWARD, OUTPUT    input, forward, output
//   raw PREROUTING                   raw
//   mangle, any chain                a user chain that the hooks jump to first: marks and headers
//   only nat PREROUTING, POSTROUTING      nat.prerouting, nat.postrouting user chains user chains
//
// Rules that have no place there are refused. All rules have the family of the dump.
// One thread.
#pragma once

#include "import/chain_names.h"
#include "import/document.h"
#include "import/dump.h"

namespace rampart {

ImportedDocument translate_tables(const Dump& dump, ChainNames& names, DraftContext context);

}  // namespace rampart
