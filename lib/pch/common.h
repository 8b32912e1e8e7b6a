// Precompiled where Meson's b_pch is on, as scripts/run_suites.py has it for clang: what most files
// of a library include. Everywhere else a file gets only what it includes itself. No #pragma once:
// g++ minds it in what it precompiles.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>
#include <tl/expected.hpp>
