// One rule of a dump: its words become options of modules, and those a RuleDraft.
// One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "import/dump.h"
#include "import/rule_draft.h"

namespace rampart {

// The language's name of a user chain, or nothing when the table has no such chain.
using ChainLookup = std::function<std::optional<std::string>(std::string_view)>;

// Everything that is not understood is refused in the draft.
RuleDraft read_rule(const DumpRule& rule, Family family, const ChainLookup& chains,
                    DraftContext context);

}  // namespace rampart
