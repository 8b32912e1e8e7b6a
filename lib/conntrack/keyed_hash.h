// The keyed hash of flow keys (design D4).
//
// CRC-based hashes are linear: keys that collide under one seed collide under all, so a sender
// could pick tuples that share a bucket. This one mixes the key with a secret through AES rounds
// where the CPU has them and SipHash-1-3 elsewhere; the secret is drawn at start and never shown.
// Immutable after construction, so any thread may hash; each worker keeps its own copy.
//
// Sources: FIPS 197 (round function); Aumasson and Bernstein, "SipHash", INDOCRYPT 2012.
#pragma once

#include <array>
#include <cstdint>

#include "packet/tuple.h"

namespace rampart {

class KeyedHash {
  public:
    // Draws the secret from the system's random source.
    static KeyedHash random();
    // For tests and replays: the same seed gives the same hashes.
    static KeyedHash from_seed(uint64_t seed) noexcept;

    // keys[i] points to a FlowKey4 (FlowKey6); hashes[i] receives its hash.
    void hash4(const void* const* keys, uint32_t* hashes, uint32_t count) const noexcept {
        hash4_(secret_.data(), keys, hashes, count);
    }
    void hash6(const void* const* keys, uint32_t* hashes, uint32_t count) const noexcept {
        hash6_(secret_.data(), keys, hashes, count);
    }
    uint32_t hash(const FlowKey4& key) const noexcept;
    uint32_t hash(const FlowKey6& key) const noexcept;

    // Both implementations, for the tests: false forces SipHash.
    static KeyedHash with_implementation(uint64_t seed, bool use_aes) noexcept;
    static bool has_aes() noexcept;

  private:
    using Function = void (*)(const uint64_t*, const void* const*, uint32_t*, uint32_t) noexcept;
    using Secret = std::array<uint64_t, 8>;
    KeyedHash(const Secret& secret, bool use_aes) noexcept;

    alignas(16) Secret secret_;
    Function hash4_;
    Function hash6_;
};

}  // namespace rampart
