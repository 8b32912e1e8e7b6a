// KeyedRandom: numbers that nobody outside can foresee, for ports (RFC 6056) and sequence numbers.
//
// The keyed hash of a counter. Owner: one thread.
#pragma once

#include <cstdint>

#include "conntrack/keyed_hash.h"

namespace rampart {

class KeyedRandom {
  public:
    explicit KeyedRandom(const KeyedHash& hash) noexcept : hash_(hash) {}

    uint32_t next() noexcept {
        FlowKey4 key;
        key.low_address.raw = static_cast<uint32_t>(++count_);
        key.high_address.raw = static_cast<uint32_t>(count_ >> 32);
        return hash_.hash(key);
    }

  private:
    KeyedHash hash_;
    uint64_t count_ = 0;
};

}  // namespace rampart
