#include "conntrack/keyed_hash.h"

#include <bit>
#include <cstring>
#include <sys/random.h>

#include "base/assert.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define RAMPART_HAS_AES_PATH 1
#endif

namespace rampart {
namespace {

// SipHash with one compression and three finalisation rounds over whole 8-byte words.
class SipHash13 {
  public:
    SipHash13(uint64_t k0, uint64_t k1) noexcept
        : v_{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
             k1 ^ 0x7465646279746573} {}

    void add(uint64_t word) noexcept {
        v_[3] ^= word;
        round();
        v_[0] ^= word;
    }
    uint64_t finish() noexcept {
        v_[2] ^= 0xff;
        for (int i = 0; i < 3; ++i)
            round();
        return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
    }

  private:
    void round() noexcept {
        v_[0] += v_[1];
        v_[2] += v_[3];
        v_[1] = std::rotl(v_[1], 13) ^ v_[0];
        v_[3] = std::rotl(v_[3], 16) ^ v_[2];
        v_[0] = std::rotl(v_[0], 32);
        v_[2] += v_[1];
        v_[0] += v_[3];
        v_[1] = std::rotl(v_[1], 17) ^ v_[2];
        v_[3] = std::rotl(v_[3], 21) ^ v_[0];
        v_[2] = std::rotl(v_[2], 32);
    }
    uint64_t v_[4];
};

template <size_t kWords>
void sip_hash(const uint64_t* secret, const void* const* keys, uint32_t* hashes,
              uint32_t count) noexcept {
    for (uint32_t i = 0; i < count; ++i) {
        uint64_t words[kWords];
        std::memcpy(words, keys[i], sizeof(words));
        SipHash13 state(secret[0], secret[1]);
        for (uint64_t word : words)
            state.add(word);
        hashes[i] = static_cast<uint32_t>(state.finish());
    }
}

#ifdef RAMPART_HAS_AES_PATH
__attribute__((target("aes,sse4.1"))) __m128i load128(const void* bytes) noexcept {
    return _mm_loadu_si128(static_cast<const __m128i*>(bytes));
}

// Three AES rounds under three secret round keys spread every key bit over the whole state.
__attribute__((target("aes,sse4.1"))) uint32_t finish_aes(__m128i state,
                                                          const uint64_t* secret) noexcept {
    state = _mm_aesenc_si128(state, load128(secret + 2));
    state = _mm_aesenc_si128(state, load128(secret + 4));
    state = _mm_aesenc_si128(state, load128(secret + 6));
    return static_cast<uint32_t>(_mm_cvtsi128_si32(state));
}

__attribute__((target("aes,sse4.1"))) void aes_hash4(const uint64_t* secret,
                                                     const void* const* keys, uint32_t* hashes,
                                                     uint32_t count) noexcept {
    for (uint32_t i = 0; i < count; ++i)
        hashes[i] = finish_aes(_mm_xor_si128(load128(keys[i]), load128(secret)), secret);
}

// The 48 bytes are absorbed in three blocks with a keyed round between them.
__attribute__((target("aes,sse4.1"))) void aes_hash6(const uint64_t* secret,
                                                     const void* const* keys, uint32_t* hashes,
                                                     uint32_t count) noexcept {
    for (uint32_t i = 0; i < count; ++i) {
        const uint8_t* key = static_cast<const uint8_t*>(keys[i]);
        __m128i state = _mm_xor_si128(load128(key), load128(secret));
        for (size_t block = 1; block < 3; ++block) {
            state = _mm_aesenc_si128(state, load128(secret + 2));
            state = _mm_aesenc_si128(state, load128(secret + 4));
            state = _mm_xor_si128(state, load128(key + block * 16));
        }
        hashes[i] = finish_aes(state, secret);
    }
}
#endif

uint64_t next_random(uint64_t& state) noexcept {  // SplitMix64
    uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

}  // namespace

KeyedHash::KeyedHash(const Secret& secret, [[maybe_unused]] bool use_aes) noexcept
    : secret_(secret), hash4_(sip_hash<2>), hash6_(sip_hash<6>) {
#ifdef RAMPART_HAS_AES_PATH
    if (use_aes) {
        hash4_ = aes_hash4;
        hash6_ = aes_hash6;
    }
#endif
}

bool KeyedHash::has_aes() noexcept {
#ifdef RAMPART_HAS_AES_PATH
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1");
#else
    return false;
#endif
}

KeyedHash KeyedHash::random() {
    Secret secret;
    const ssize_t got = getrandom(secret.data(), sizeof(secret), 0);
    RAMPART_ASSERT(got == static_cast<ssize_t>(sizeof(secret)));
    return {secret, has_aes()};
}

KeyedHash KeyedHash::from_seed(uint64_t seed) noexcept {
    return with_implementation(seed, has_aes());
}

KeyedHash KeyedHash::with_implementation(uint64_t seed, bool use_aes) noexcept {
    Secret secret;
    for (uint64_t& word : secret)
        word = next_random(seed);
    return {secret, use_aes};
}

uint32_t KeyedHash::hash(const FlowKey4& key) const noexcept {
    const void* keys[] = {&key};
    uint32_t hash = 0;
    hash4(keys, &hash, 1);
    return hash;
}

uint32_t KeyedHash::hash(const FlowKey6& key) const noexcept {
    const void* keys[] = {&key};
    uint32_t hash = 0;
    hash6(keys, &hash, 1);
    return hash;
}

}  // namespace rampart
