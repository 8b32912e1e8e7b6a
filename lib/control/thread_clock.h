// ThreadClock: how much CPU time a thread has used, read by another thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace rampart {

class ThreadClock {
  public:
    // Called by the thread that is to be watched. It must outlive the readers.
    void adopt_this_thread() noexcept;
    uint64_t cpu_ns() const noexcept;  // 0 before that

  private:
    std::atomic<int> clock_{0};  // 0, the wall clock, is none
};

}  // namespace rampart
