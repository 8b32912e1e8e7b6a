// Top format: the document of `top` (top_look.h) as a page for people. A pure function.
#pragma once

#include <string>

#include "control/json.h"

namespace rampart {

// Lines with their ends; headings are lines that begin with a capital letter.
std::string top_text(const Json& document);

// "950", "12.3k", "4.56M", "1.20G".
std::string short_rate(double rate);

}  // namespace rampart
