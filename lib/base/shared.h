// Shared<T>: a field with one writer and any number of readers.
//
// A relaxed atomic without read-modify-write: the owner updates it with plain moves, readers on
// other threads see some recent value and never a torn one. It orders nothing else; use
// SeqCell for records whose fields must agree.
// Tag every use: `// worker: rw, control: ro`.
#pragma once

#include <atomic>
#include <type_traits>

namespace rampart {

template <typename T>
class Shared {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);

  public:
    constexpr Shared() noexcept = default;
    constexpr explicit Shared(T value) noexcept : value_(value) {}

    T load() const noexcept { return value_.load(std::memory_order_relaxed); }
    void store(T value) noexcept { value_.store(value, std::memory_order_relaxed); }
    // Only for the single writer.
    void add(T amount) noexcept { store(static_cast<T>(load() + amount)); }

  private:
    std::atomic<T> value_{};
};

}  // namespace rampart
