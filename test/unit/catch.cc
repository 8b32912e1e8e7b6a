// Catch's own part of a test program. It takes longer to compile than any test: once, in a library.
#define CATCH_CONFIG_RUNNER
#include "unit/catch.h"

#include <catch2/catch.hpp>

namespace rampart {

int run_tests(int argc, char** argv) {
    return Catch::Session().run(argc, argv);
}

}  // namespace rampart
