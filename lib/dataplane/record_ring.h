// RecordRing<T>: plain records from one thread to another, without waiting.
//
// A bounded single-producer, single-consumer ring (rte_ring). A full ring refuses, and whoever puts
// decides what that means. Which thread is which is said where a ring is used.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include "base/result.h"

struct rte_ring;

namespace rampart {

// The part that knows only the size of a record.
class RecordRingStorage {
  public:
    ~RecordRingStorage();
    RecordRingStorage(RecordRingStorage&& other) noexcept : ring_(other.ring_) {
        other.ring_ = nullptr;
    }
    RecordRingStorage& operator=(RecordRingStorage&&) = delete;

    static Result<RecordRingStorage> create(const std::string& name, uint32_t record_bytes,
                                            uint32_t slots, int numa_node);

  protected:
    bool put_bytes(const void* record, uint32_t record_bytes) noexcept;
    uint32_t take_bytes(void* records, uint32_t record_bytes, uint32_t capacity) noexcept;
    uint32_t free_slots() const noexcept;
    bool has_no_record() const noexcept;

  private:
    explicit RecordRingStorage(rte_ring* ring) noexcept : ring_(ring) {}
    rte_ring* ring_;
};

template <typename T>
class RecordRing : private RecordRingStorage {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 4 == 0);

  public:
    // `slots` is a power of two; one of them stays empty.
    static Result<RecordRing> create(const std::string& name, uint32_t slots, int numa_node) {
        auto storage = RecordRingStorage::create(name, sizeof(T), slots, numa_node);
        if (!storage) return tl::unexpected<Error>(storage.error());
        return RecordRing(std::move(*storage));
    }

    // --- the producer ---
    bool put(const T& record) noexcept { return put_bytes(&record, sizeof(T)); }
    uint32_t room() const noexcept { return free_slots(); }

    // --- the consumer ---
    uint32_t take(T* records, uint32_t capacity) noexcept {
        return take_bytes(records, sizeof(T), capacity);
    }

    // --- both ---
    bool is_empty() const noexcept { return has_no_record(); }

  private:
    explicit RecordRing(RecordRingStorage storage) noexcept
        : RecordRingStorage(std::move(storage)) {}
};

}  // namespace rampart
