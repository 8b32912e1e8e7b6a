// The value of `jump` and `goto`: the name of a user chain. Control thread only.
#pragma once

#include <cstdint>
#include <optional>

#include "rules/match.h"

namespace rampart {

// The chain's index; reports E013 when there is no such chain or it belongs to a hook.
std::optional<uint16_t> parse_chain_name(const Value& value, ParseContext& context);

// The hook whose base chain is called `name`, or None: a user chain.
Hook hook_of_chain(std::string_view name) noexcept;

}  // namespace rampart
