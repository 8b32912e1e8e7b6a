#include "dataplane/hand_off.h"

#include <string>

#include <rte_mbuf.h>
#include <rte_ring.h>

namespace rampart {

constexpr unsigned kSlots = 1024;

Result<std::unique_ptr<HandOff>> HandOff::create(uint16_t workers) {
    std::unique_ptr<HandOff> hand_off(new HandOff(workers));
    for (uint16_t from = 0; from < workers; ++from) {
        for (uint16_t to = 0; to < workers; ++to) {
            if (from == to) continue;
            const std::string name = "hand-off-" + std::to_string(from) + "-" + std::to_string(to);
            rte_ring* ring =
                rte_ring_create(name.c_str(), kSlots, -1, RING_F_SP_ENQ | RING_F_SC_DEQ);
            if (ring == nullptr)
                return failure("no memory for the hand-off rings", "raise memory.size");
            hand_off->ring(from, to) = ring;
        }
    }
    return hand_off;
}

HandOff::~HandOff() {
    drain();
    for (rte_ring* ring : rings_)
        rte_ring_free(ring);
}

void HandOff::drain() noexcept {
    for (rte_ring* ring : rings_) {
        void* mbuf = nullptr;
        while (ring != nullptr && rte_ring_sc_dequeue(ring, &mbuf) == 0)
            rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
    }
}

bool HandOff::give(uint16_t from, uint16_t to, rte_mbuf* mbuf) noexcept {
    return rte_ring_sp_enqueue(ring(from, to), mbuf) == 0;
}

uint32_t HandOff::take(uint16_t from, uint16_t to, rte_mbuf** mbufs, uint32_t capacity) noexcept {
    return rte_ring_sc_dequeue_burst(ring(from, to), reinterpret_cast<void**>(mbufs), capacity,
                                     nullptr);
}

}  // namespace rampart
