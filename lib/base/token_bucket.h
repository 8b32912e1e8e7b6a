// TokenBucket: at most `rate` events per second on average, `burst` at once.
//
// One owner. Time is a parameter; the clock must not go backwards.
#pragma once

#include <algorithm>
#include <cstdint>

namespace rampart {

class TokenBucket {
  public:
    TokenBucket(uint64_t rate_per_s, uint64_t burst) noexcept
        : ns_per_token_(1'000'000'000 / rate_per_s), capacity_ns_(ns_per_token_ * burst) {}

    bool take(uint64_t now_ns) noexcept {
        if (now_ns > last_ns_)
            filled_ns_ = std::min(capacity_ns_, filled_ns_ + (now_ns - last_ns_));
        last_ns_ = now_ns;
        if (filled_ns_ < ns_per_token_) return false;
        filled_ns_ -= ns_per_token_;
        return true;
    }

  private:
    uint64_t ns_per_token_;
    uint64_t capacity_ns_;
    uint64_t filled_ns_ = capacity_ns_;
    uint64_t last_ns_ = 0;
};

}  // namespace rampart
