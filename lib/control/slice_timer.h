// SliceTimer: how long a slice of work on the control thread may take.
#pragma once

#include <chrono>

namespace rampart {

class SliceTimer {
  public:
    bool is_over() const noexcept {
        return std::chrono::steady_clock::now() - begin_ > std::chrono::microseconds(500);
    }

  private:
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace rampart
