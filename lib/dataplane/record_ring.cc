#include "dataplane/record_ring.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>

namespace rampart {

Result<RecordRingStorage> RecordRingStorage::create(const std::string& name, uint32_t record_bytes,
                                                    uint32_t slots, int numa_node) {
    rte_ring* ring = rte_ring_create_elem(name.c_str(), record_bytes, slots, numa_node,
                                          RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (ring == nullptr) return failure("no memory for the ring " + name, "raise memory.size");
    return RecordRingStorage(ring);
}

RecordRingStorage::~RecordRingStorage() {
    rte_ring_free(ring_);
}

bool RecordRingStorage::put_bytes(const void* record, uint32_t record_bytes) noexcept {
    // rte_ring only reads it, but asks for a plain pointer.
    return rte_ring_sp_enqueue_elem(ring_, const_cast<void*>(record), record_bytes) == 0;
}

uint32_t RecordRingStorage::take_bytes(void* records, uint32_t record_bytes,
                                       uint32_t capacity) noexcept {
    return rte_ring_sc_dequeue_burst_elem(ring_, records, record_bytes, capacity, nullptr);
}

uint32_t RecordRingStorage::free_slots() const noexcept {
    return rte_ring_free_count(ring_);
}

bool RecordRingStorage::has_no_record() const noexcept {
    return rte_ring_empty(ring_) != 0;
}

}  // namespace rampart
