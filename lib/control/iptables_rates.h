// `limit` and `connlimit`, as printed, as matches of iptables; nothing when there is no
// counterpart. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"

namespace rampart {

// `id` names the table of a hashlimit.
std::optional<std::string> limit_match(const std::string& printed, bool negated, Family family,
                                       std::string_view id);
std::optional<std::string> connlimit_match(const std::string& printed, bool negated, Family family);

}  // namespace rampart
