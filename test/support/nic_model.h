// NicModel: a NIC that spreads packets over queues, bit by bit as the Toeplitz hash is defined
// (Microsoft, "RSS hashing types" and "Verifying the RSS hash calculation").
//
// TCP and UDP are hashed with their ports, everything else and fragments by addresses alone. The
// key and the table of queues are random; a symmetric key repeats every 16 bits, so that both
// directions of a flow come to one queue. Value type; shares no code with lib.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "dataplane/steering.h"
#include "packet/tuple.h"

namespace rampart::test {

class NicModel {
  public:
    enum class Key : uint8_t { Symmetric, Any };
    NicModel(std::mt19937& random, uint16_t queues, Key kind = Key::Symmetric);

    // What control would program into all ports.
    Steering::Rss rss() const { return {key_, queues_}; }
    uint16_t queue_of(const Tuple& tuple, bool is_fragment = false) const;

  private:
    uint32_t window(size_t bit) const;

    std::vector<uint8_t> key_;
    std::vector<uint16_t> queues_;
};

}  // namespace rampart::test
