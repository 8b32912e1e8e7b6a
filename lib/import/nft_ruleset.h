// The output of `nft -j list ruleset` becomes chains of the language.
//
// Tables of the families ip, ip6 and inet are read; base chains of the types filter and nat.
// Several base chains of one hook are joined in the order of their priorities where that means the
// same: what one of them accepts still meets the next. Places in messages are the numbers of the
// objects in the ruleset's list, because the whole of it is one line. One thread.
#pragma once

#include <string>
#include <string_view>

#include "import/chain_names.h"
#include "import/document.h"

namespace rampart {

ImportedDocument read_nft(std::string_view text, const std::string& path, ChainNames& names,
                          DraftContext context);

}  // namespace rampart
