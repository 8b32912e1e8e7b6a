// NeighbourTable: the link addresses of neighbours, read by workers while the mirror changes them.
//
//   index (open addressing)      slots
//   [ 7 | - | x | 2 ]  ------>   key    word (atomic)   is used (atomic)
//
// One thread writes: it fills the key of a free slot and then publishes the slot's number in the
// index. A slot that was removed keeps its key, and its word says None, until recycle() is called
// when no worker can know it any more. So readers compare keys that nobody writes.
// Requests go the other way, on a ring of bounded size; what was asked and not taken yet is not
// asked twice.
// Workers: find(), word(), request(). Everything else: the mirror's thread.
#pragma once

#include <atomic>
#include <memory>
#include <unordered_map>
#include <vector>

#include "routing/routing.h"

struct rte_ring;

namespace rampart {

class NeighbourTable {
  public:
    static constexpr uint32_t kSlots = Routing::kMaxNeighbours;

    // `ring_name` is unique in the process.
    static Result<std::unique_ptr<NeighbourTable>> create(const std::string& ring_name);
    ~NeighbourTable();
    NeighbourTable(const NeighbourTable&) = delete;
    NeighbourTable& operator=(const NeighbourTable&) = delete;

    // --- workers ---
    NeighbourSlot find(const NeighbourKey& key) const noexcept;
    NeighbourWord word(NeighbourSlot slot) const noexcept;
    void request(const NeighbourKey& key) noexcept;

    // --- the mirror's thread ---
    // True: the neighbour is new or resolved or failed now, and was not so before.
    bool set(const NeighbourKey& key, NeighbourWord::State state, const MacAddress& mac);
    void remove(const NeighbourKey& key);
    std::vector<NeighbourKey> take_requests();
    std::vector<NeighbourKey> take_used();
    std::vector<Routing::NeighbourEntry> entries() const;
    size_t left_out() const noexcept { return left_out_; }

    // Slots that were removed and can be given out again by recycle(), once no worker knows them.
    size_t removed() const noexcept { return removed_.size(); }
    bool is_short_of_slots() const noexcept;
    void recycle();

  private:
    static constexpr uint32_t kBuckets = kSlots * 4;
    static constexpr uint32_t kEmpty = 0xffffffff;
    static constexpr uint32_t kGone = 0xfffffffe;  // was removed; the search goes on behind it
    static constexpr uint32_t kAskedWords = 4096;

    struct KeyHash {
        uint64_t seed;
        size_t operator()(const NeighbourKey& key) const noexcept;
    };

    explicit NeighbourTable(uint64_t seed);
    void publish(const NeighbourKey& key, NeighbourSlot slot) noexcept;
    void unpublish(const NeighbourKey& key, NeighbourSlot slot) noexcept;

    KeyHash hash_;
    std::unique_ptr<std::atomic<uint32_t>[]> index_;  // mirror: rw, workers: ro
    std::unique_ptr<std::atomic<uint64_t>[]> words_;  // mirror: rw, workers: ro
    std::unique_ptr<NeighbourKey[]> keys_;            // mirror: rw, workers: ro once published
    std::unique_ptr<std::atomic<uint8_t>[]> used_;    // workers: set, mirror: clears
    std::unique_ptr<std::atomic<uint64_t>[]> asked_;  // workers: set, mirror: clears
    rte_ring* requests_ = nullptr;                    // workers: put, mirror: takes
    // Of the mirror's thread.
    std::unordered_map<NeighbourKey, NeighbourSlot, KeyHash> slots_;
    std::vector<NeighbourSlot> free_, removed_;
    uint32_t ever_used_ = 0;  // slots below this number have been given out
    size_t left_out_ = 0;
};

}  // namespace rampart
