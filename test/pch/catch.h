// Precompiled as lib/pch/common.h: for unit tests.
#include <catch2/catch.hpp>

#include "../../lib/pch/common.h"
