// RSS: how ports spread packets over their queues, the same way for both directions.
//
// A Toeplitz key whose 16-bit pattern repeats hashes (a, b) and (b, a) alike (Woo and Park,
// "Scalable TCP session monitoring with symmetric receive-side scaling", 2012). The pattern is
// drawn at random for each start, but such a key leaves only 16 bits to guess, so whoever sends
// enough chosen flows can fill one queue. NICs with a symmetric hash function of their own could do
// better.
#pragma once

#include <cstdint>
#include <vector>

namespace rampart {

// What ports are asked to hash: addresses, and ports where there are some (RTE_ETH_RSS_*).
extern const uint64_t kRssTypes;

inline constexpr uint32_t kRssKeyBytes = 40;

// Both TCP and UDP over IPv4 and IPv6 are spread by their ports.
bool can_spread_ports(uint64_t rss_types) noexcept;

// A symmetric key of kRssKeyBytes with a random pattern that mixes well.
std::vector<uint8_t> random_symmetric_key();
std::vector<uint8_t> symmetric_key(uint16_t pattern);

}  // namespace rampart
