// What the routes take, apart from what makes them: `rampartctl doctor` asks without DPDK.
#include <algorithm>

#include "routing/route_side.h"

namespace rampart {
namespace {

constexpr uint32_t kMostTbl8 = 32767;  // as DPDK allows with next hops of two bytes

}  // namespace

uint32_t RouteSide::tbl8_count(uint32_t routes) noexcept {
    return std::clamp<uint32_t>(routes, 256, kMostTbl8);
}

uint64_t RouteSide::bytes_for(const Routing::Options& options) noexcept {
    constexpr uint64_t kNode4 = 128, kNode6 = 192;  // of the trees, with the pool's overhead
    uint64_t bytes = 2 * (options.max_routes4 * kNode4 + options.max_routes6 * kNode6);
    if (options.compact) return bytes;
    const uint64_t hop = options.max_groups <= kLargestIn2Bytes ? 2 : 4;
    bytes += 2 * hop << 24;
    bytes += hop * 256 * (tbl8_count(options.max_routes4) + tbl8_count(options.max_routes6 * 2));
    return bytes + (1 << 20);
}

uint64_t Routing::bytes_for(const Options& options) noexcept {
    return 2 * RouteSide::bytes_for(options) + (64 << 10);
}

}  // namespace rampart
