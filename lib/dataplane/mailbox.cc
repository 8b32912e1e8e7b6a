#include "dataplane/mailbox.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>

namespace rampart {

// A turn of the ager posts up to a fiftieth of a worker's table at once.
constexpr unsigned kSlots = 32768;

Result<std::unique_ptr<Mailbox>> Mailbox::create(const std::string& name, int numa_node) {
    rte_ring* ring = rte_ring_create_elem(name.c_str(), sizeof(Command), kSlots, numa_node,
                                          RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (ring == nullptr) return failure("no memory for the mailbox " + name, "raise memory.size");
    return std::unique_ptr<Mailbox>(new Mailbox(ring));
}

Mailbox::~Mailbox() {
    rte_ring_free(ring_);
}

bool Mailbox::post(const Command& command) noexcept {
    Command copy = command;
    return rte_ring_sp_enqueue_elem(ring_, &copy, sizeof(copy)) == 0;
}

uint32_t Mailbox::take(Command* commands, uint32_t capacity) noexcept {
    return rte_ring_sc_dequeue_burst_elem(ring_, commands, sizeof(Command), capacity, nullptr);
}

bool Mailbox::has_room() const noexcept {
    return rte_ring_free_count(ring_) > kSlots / 2;
}

bool Mailbox::is_empty() const noexcept {
    return rte_ring_empty(ring_) != 0;
}

}  // namespace rampart
