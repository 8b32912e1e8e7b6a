// The unit tests of base, rules and config: everything that needs no DPDK.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
