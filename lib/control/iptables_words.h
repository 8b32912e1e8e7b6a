// Values as the language prints them, taken apart again: words of a list, fields of a mapping. And
// words of iptables. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"

namespace rampart {

// "[a, \"b\"]" as a and b; a single word as itself.
std::vector<std::string> words_of(std::string_view printed);
// The value of `key` in "{ rate: 10/second, per: [src] }"; empty when it is absent.
std::string field_of(std::string_view mapping, std::string_view key);
std::string upper_case(std::string_view text);
// As iptables-save puts text in quotation marks.
std::string quoted_text(std::string_view text);
// "8000-8999" as "8000:8999".
std::string port_text(std::string_view word);
// "10/second" as "10/sec"; days are "day" on both sides.
std::string rate_text(std::string_view word);
// Nothing: of the other family.
std::optional<Family> family_of_word(std::string_view address);

}  // namespace rampart
