#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace rampart {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
    std::fprintf(stderr, "%s:%d: internal error: %s\n", file, line, condition);
    std::abort();
}

}  // namespace rampart
