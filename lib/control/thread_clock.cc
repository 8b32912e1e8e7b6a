#include "control/thread_clock.h"

#include <ctime>
#include <pthread.h>

namespace rampart {

void ThreadClock::adopt_this_thread() noexcept {
    clockid_t clock = 0;
    if (pthread_getcpuclockid(pthread_self(), &clock) == 0)
        clock_.store(clock, std::memory_order_release);
}

uint64_t ThreadClock::cpu_ns() const noexcept {
    const clockid_t clock = clock_.load(std::memory_order_acquire);
    timespec time{};
    if (clock == 0 || clock_gettime(clock, &time) != 0) return 0;
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace rampart
