// Precompiled as lib/pch/common.h: for unit tests of the control plane.
#include <catch2/catch.hpp>

#include "../../lib/pch/control.h"
