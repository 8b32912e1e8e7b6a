// SeqCell<T>: a record that one thread writes and others copy without stopping it (a seqlock).
//
// The writer makes the sequence odd, stores the words and makes it even again; a reader copies the
// words and accepts them only when the sequence was even and unchanged. All accesses are atomic, so
// the race is defined behaviour. Readers retry a bounded number of times and may fail: a record
// that changes that fast is reported on the next pass.
// Writer: the owner's thread. Readers: any thread. The cell never allocates.
//
// Source: Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace rampart {

template <typename T>
class SeqCell {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0);
    static constexpr size_t kWords = sizeof(T) / 8;

  public:
    void write(const T& value) noexcept { write_part<T, 0>(value); }

    bool read(T& value) const noexcept {
        for (int attempt = 0; attempt < 16; ++attempt) {
            const uint32_t before = sequence_.load(std::memory_order_acquire);
            if (before & 1) continue;
            std::array<uint64_t, kWords> words;
            for (size_t i = 0; i < kWords; ++i)
                words[i] = words_[i].load(std::memory_order_relaxed);
            std::atomic_thread_fence(std::memory_order_acquire);
            if (sequence_.load(std::memory_order_relaxed) != before) continue;
            std::memcpy(static_cast<void*>(&value), words.data(), sizeof(T));
            return true;
        }
        return false;
    }

    // For the writer only: no other thread changes the words.
    T own() const noexcept { return own_part<T>(); }

    // The same of the member of T that begins at byte `kOffset`.
    template <typename Part, size_t kOffset = 0>
    Part own_part() const noexcept {
        check_part<Part, kOffset>();
        std::array<uint64_t, sizeof(Part) / 8> words;
        for (size_t i = 0; i < words.size(); ++i)
            words[i] = words_[kOffset / 8 + i].load(std::memory_order_relaxed);
        Part part;
        std::memcpy(static_cast<void*>(&part), words.data(), sizeof(Part));
        return part;
    }
    template <typename Part, size_t kOffset>
    void write_part(const Part& part) noexcept {
        check_part<Part, kOffset>();
        std::array<uint64_t, sizeof(Part) / 8> words;
        std::memcpy(words.data(), &part, sizeof(Part));
        change([&] {
            for (size_t i = 0; i < words.size(); ++i)
                words_[kOffset / 8 + i].store(words[i], std::memory_order_relaxed);
        });
    }

    // Eight bytes of it, from 8 * `at` on.
    uint64_t own_word(size_t at) const noexcept {
        return words_[at].load(std::memory_order_relaxed);
    }

  private:
    template <typename Part, size_t kOffset>
    static constexpr void check_part() noexcept {
        static_assert(std::is_trivially_copyable_v<Part>);
        static_assert(sizeof(Part) % 8 == 0 && kOffset % 8 == 0);
        static_assert(kOffset + sizeof(Part) <= sizeof(T));
    }
    template <typename Store>
    void change(Store store) noexcept {
        const uint32_t sequence = sequence_.load(std::memory_order_relaxed);
        sequence_.store(sequence + 1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        store();
        sequence_.store(sequence + 2, std::memory_order_release);
    }

    std::atomic<uint32_t> sequence_{0};
    std::array<std::atomic<uint64_t>, kWords> words_{};
};

}  // namespace rampart
