// Precompiled as lib/pch/common.h: for unit tests that send packets.
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "catch.h"
