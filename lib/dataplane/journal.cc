#include "dataplane/journal.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>

namespace rampart {

Result<std::unique_ptr<Journal>> Journal::create(const std::string& name, int numa_node) {
    rte_ring* ring = rte_ring_create_elem(name.c_str(), sizeof(JournalRecord), kSlots, numa_node,
                                          RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (ring == nullptr) return failure("no memory for the journal " + name, "raise memory.size");
    return std::unique_ptr<Journal>(new Journal(ring));
}

Journal::~Journal() {
    rte_ring_free(ring_);
}

void Journal::write(const JournalRecord& record) noexcept {
    JournalRecord copy = record;
    if (rte_ring_sp_enqueue_elem(ring_, &copy, sizeof(copy)) != 0) lost_.add(1);
}

uint32_t Journal::read(JournalRecord* records, uint32_t capacity) noexcept {
    return rte_ring_sc_dequeue_burst_elem(ring_, records, sizeof(JournalRecord), capacity, nullptr);
}

}  // namespace rampart
