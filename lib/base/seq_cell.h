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
    void write(const T& value) noexcept {
        std::array<uint64_t, kWords> words;
        std::memcpy(words.data(), &value, sizeof(T));
        const uint32_t sequence = sequence_.load(std::memory_order_relaxed);
        sequence_.store(sequence + 1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        for (size_t i = 0; i < kWords; ++i)
            words_[i].store(words[i], std::memory_order_relaxed);
        sequence_.store(sequence + 2, std::memory_order_release);
    }

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
    T own() const noexcept {
        std::array<uint64_t, kWords> words;
        for (size_t i = 0; i < kWords; ++i)
            words[i] = words_[i].load(std::memory_order_relaxed);
        T value;
        std::memcpy(static_cast<void*>(&value), words.data(), sizeof(T));
        return value;
    }

    // The same of what T begins with, a `Head`.
    template <typename Head>
    Head own_head() const noexcept {
        static_assert(sizeof(Head) % 8 == 0 && sizeof(Head) <= sizeof(T));
        std::array<uint64_t, sizeof(Head) / 8> words;
        for (size_t i = 0; i < words.size(); ++i)
            words[i] = words_[i].load(std::memory_order_relaxed);
        Head head;
        std::memcpy(static_cast<void*>(&head), words.data(), sizeof(Head));
        return head;
    }

  private:
    std::atomic<uint32_t> sequence_{0};
    std::array<std::atomic<uint64_t>, kWords> words_{};
};

}  // namespace rampart
