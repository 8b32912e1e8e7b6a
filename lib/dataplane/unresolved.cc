#include "dataplane/unresolved.h"

#include <algorithm>

namespace rampart {

Unresolved::Outcome Unresolved::hold(const NeighbourKey& key, const Waiting& packet,
                                     Tick now) noexcept {
    Queue* free = nullptr;
    for (Queue& queue : queues_) {
        if (queue.count == 0) {
            if (free == nullptr) free = &queue;
            continue;
        }
        if (queue.key != key) continue;
        Outcome outcome{.is_held = true};
        if (queue.count == kPerNeighbour) {
            outcome.evicted = queue.packets.front().mbuf;
            std::copy(queue.packets.begin() + 1, queue.packets.end(), queue.packets.begin());
            --queue.count;
            --held_;
        }
        queue.packets[queue.count++] = packet;
        ++held_;
        return outcome;
    }
    if (free == nullptr) return {};
    free->key = key;
    free->deadline = now + kPatience;
    free->packets[0] = packet;
    free->count = 1;
    ++held_;
    return {.is_held = true, .evicted = nullptr, .is_first = true};
}

}  // namespace rampart
