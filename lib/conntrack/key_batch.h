// KeyBatch: the keys of one family in a burst, in the order of arrival.
//
// Value type. Owner: the worker that holds the burst, in which the keys are.
#pragma once

#include <array>
#include <cstdint>

#include "packet/packet.h"

namespace rampart {

struct KeyBatch {
    static constexpr uint32_t kCapacity = 64;

    uint32_t count = 0;
    std::array<const void*, kCapacity> key;   // FlowKey4 or FlowKey6
    std::array<uint32_t, kCapacity> hash;     // set by KeyTable::hash
    std::array<uint8_t, kCapacity> position;  // of the packet in its burst

    void add(uint32_t at, const Packet& packet) noexcept {
        key[count] = &packet.key4;  // both families' keys begin there
        position[count++] = static_cast<uint8_t>(at);
    }
    // Those stay for which keep(position, hash) is true.
    template <typename Keep>
    void keep_if(Keep keep) noexcept {
        uint32_t kept = 0;
        for (uint32_t at = 0; at < count; ++at) {
            if (!keep(uint32_t{position[at]}, hash[at])) continue;
            key[kept] = key[at];
            hash[kept] = hash[at];
            position[kept++] = position[at];
        }
        count = kept;
    }
};

}  // namespace rampart
