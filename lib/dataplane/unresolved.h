// Unresolved: packets that wait until the kernel has found their next hop's link address.
//
// Bounded, as the kernel's own queues are: kPerNeighbour packets for each next hop, of which the
// oldest gives way, and kPackets in all. A neighbour that fails or does not come in time loses its
// packets. Everything is allocated at start. Owner: one worker. RFC 1812, 3.3.2; RFC 4861, 7.2.2.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "packet/tuple.h"
#include "routing/routing.h"

struct rte_mbuf;

namespace rampart {

class Unresolved {
  public:
    static constexpr uint32_t kNeighbours = 128;
    static constexpr uint32_t kPerNeighbour = 8;
    static constexpr Tick kPatience = ticks_of_seconds(4);  // longer than the kernel tries

    struct Waiting {
        rte_mbuf* mbuf = nullptr;
        uint16_t l3_offset = 0;
        uint16_t ip_length = 0;
        uint8_t in_port = kNoInterface;
        Tuple arrived{};  // as its sender wrote it, if it is translated; else of family None
    };
    // What became of a packet that was given.
    struct Outcome {
        bool is_held = false;         // else the table is full: the caller keeps the packet
        rte_mbuf* evicted = nullptr;  // gave way; the caller frees and counts it
        bool is_first = false;        // nobody waited for this neighbour
    };
    Outcome hold(const NeighbourKey& key, const Waiting& packet, Tick now) noexcept;

    // Calls `ready(key, waiting, word)` for all whose neighbour is known and `lost(key, waiting)`
    // for those who wait in vain. `routing` asks again for those that are left.
    template <typename Ready, typename Lost>
    void release(Routing& routing, Tick now, Ready ready, Lost lost) noexcept;

    uint32_t held() const noexcept { return held_; }
    // Something may have changed since the last release().
    bool is_due(uint32_t version, Tick now) const noexcept {
        return held_ != 0 && (version != version_ || is_past(next_look_, now));
    }
    // All of them, for who ends the worker.
    template <typename Visit>
    void clear(Visit visit) noexcept {
        for (Queue& queue : queues_) {
            for (uint32_t at = 0; at < queue.count; ++at)
                visit(queue.packets[at].mbuf);
            queue.count = 0;
        }
        held_ = 0;
    }

  private:
    struct Queue {
        NeighbourKey key;
        uint32_t count = 0;  // 0: free
        Tick deadline = 0;
        std::array<Waiting, kPerNeighbour> packets;
    };
    std::array<Queue, kNeighbours> queues_;
    uint32_t held_ = 0;
    uint32_t version_ = 0;
    Tick next_look_ = 0;
};

template <typename Ready, typename Lost>
void Unresolved::release(Routing& routing, Tick now, Ready ready, Lost lost) noexcept {
    constexpr Tick kLookEvery = 10;
    version_ = routing.version();
    next_look_ = now + kLookEvery;
    for (Queue& queue : queues_) {
        if (queue.count == 0) continue;
        const NeighbourSlot slot = routing.find_neighbour(queue.key);
        const NeighbourWord word = slot == kNoNeighbour ? NeighbourWord() : routing.neighbour(slot);
        const bool has_failed = word.state() == NeighbourWord::State::Failed;
        if (!word.is_resolved() && !has_failed && !is_past(queue.deadline, now)) {
            if (slot == kNoNeighbour) routing.request(queue.key);
            continue;
        }
        const uint32_t count = queue.count;
        queue.count = 0;
        held_ -= count;
        for (uint32_t at = 0; at < count; ++at) {
            if (word.is_resolved())
                ready(queue.key, queue.packets[at], word);
            else
                lost(queue.key, queue.packets[at]);
        }
    }
}

}  // namespace rampart
