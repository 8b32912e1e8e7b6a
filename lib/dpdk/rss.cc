#include "dpdk/rss.h"

#include <bit>
#include <sys/random.h>

#include <rte_ethdev.h>

#include "base/assert.h"

namespace rampart {
namespace {

constexpr uint64_t kPortTypes = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP |
                                RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;

}  // namespace

const uint64_t kRssTypes = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6 | kPortTypes;

bool can_spread_ports(uint64_t rss_types) noexcept {
    return (rss_types & kPortTypes) == kPortTypes;
}

std::vector<uint8_t> symmetric_key(uint16_t pattern) {
    std::vector<uint8_t> key(kRssKeyBytes);
    for (size_t i = 0; i < key.size(); i += 2) {
        key[i] = static_cast<uint8_t>(pattern >> 8);
        key[i + 1] = static_cast<uint8_t>(pattern);
    }
    return key;
}

std::vector<uint8_t> random_symmetric_key() {
    // Patterns with few or many set bits, or with a shorter period, give few distinct hashes.
    for (;;) {
        uint16_t pattern = 0;
        RAMPART_ASSERT(getrandom(&pattern, sizeof(pattern), 0) == sizeof(pattern));
        const int bits = std::popcount(pattern);
        const bool repeats = (pattern >> 8) == (pattern & 0xff);
        if (bits >= 6 && bits <= 10 && !repeats) return symmetric_key(pattern);
    }
}

}  // namespace rampart
