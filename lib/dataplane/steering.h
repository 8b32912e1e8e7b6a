// Steering: which worker owns a flow (design D3).
//
//   Single    one worker owns everything
//   Software  no common hardware distribution: a keyed hash of the normalised flow key decides, and
//             packets that arrive elsewhere are handed over
//   Hardware  all ports spread TCP and UDP by the same symmetric RSS function, so both directions
//             already meet their owner; only ICMP errors, which the NIC spreads by their outer
//             addresses, are handed to the worker that RSS gives the packet they quote, and
//             reassembled datagrams to the one it would have given the whole
//
// Chosen once at start from what the ports can do. Immutable, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "packet/packet.h"

namespace rampart {

enum class SteeringMode : uint8_t { Single, Software, Hardware };

class Steering {
  public:
    struct Rss {
        std::vector<uint8_t> key;      // Toeplitz key programmed into every port
        std::vector<uint16_t> queues;  // redirection table: hash modulo size -> queue
    };

    static Steering single() { return Steering(SteeringMode::Single, 1, {}); }
    static Steering software(uint16_t workers) {
        return Steering(SteeringMode::Software, workers, {});
    }
    static Steering hardware(uint16_t workers, Rss rss) {
        return Steering(SteeringMode::Hardware, workers, std::move(rss));
    }

    SteeringMode mode() const noexcept { return mode_; }
    uint16_t workers() const noexcept { return workers_; }

    // `hash` is the keyed hash of the packet's flow key; `self` the worker that has the packet,
    // `is_unspread` when no NIC chose it by the packet's ports: a NIC saw only its fragments, or
    // the kernel has sent it.
    uint16_t owner_of(const Packet& packet, bool is_unspread, uint32_t hash,
                      uint16_t self) const noexcept {
        if (mode_ == SteeringMode::Single) return self;
        if (mode_ == SteeringMode::Software) return software_owner(hash);
        return packet.is_icmp_error || is_unspread ? hardware_owner(packet, self) : self;
    }
    // The worker that packets with this tuple come to.
    uint16_t owner_of(const Tuple& tuple, uint32_t hash) const noexcept {
        if (mode_ == SteeringMode::Single) return 0;
        return mode_ == SteeringMode::Software ? software_owner(hash) : hardware_owner(tuple, 0);
    }
    // Who puts a datagram together; `hash` is Reassembly's.
    uint16_t fragment_owner(uint32_t hash, uint16_t self) const noexcept {
        return mode_ == SteeringMode::Single ? self : software_owner(hash);
    }

  private:
    Steering(SteeringMode mode, uint16_t workers, Rss rss)
        : mode_(mode), workers_(workers), rss_(std::move(rss)) {}

    // Multiplied first, so that the bits that pick the owner stay independent of those that pick
    // the bucket and the signature in the owner's table.
    uint16_t software_owner(uint32_t hash) const noexcept {
        const uint32_t mixed = hash * 0x9e3779b1u;
        return static_cast<uint16_t>(uint64_t{mixed} * workers_ >> 32);
    }
    uint16_t hardware_owner(const Packet& packet, uint16_t self) const noexcept;
    uint16_t hardware_owner(const Tuple& tuple, uint16_t self) const noexcept;

    SteeringMode mode_;
    uint16_t workers_;
    Rss rss_;
};

}  // namespace rampart
