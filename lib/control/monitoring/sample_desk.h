// SampleDesk: where threads that serve others get a sample of the daemon's state.
//
//   a serving thread   ask(): leaves a wish, wakes control, waits for the sample, not for long
//   control            woken through its event loop, takes one sample for all who wait
//
// What is shared is the pointer to the last sample, under a lock that is held for the time of
// copying it; samples never change. Control never waits for a client: however slow it is, it reads
// from its own copy. A sample is never older than the question. After each there is a pause, so
// that control takes about 20 a second at most, however many clients there are.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "base/result.h"
#include "control/event_loop.h"
#include "control/monitoring/sample.h"

namespace rampart {

class SampleDesk {
  public:
    using Sample = std::shared_ptr<const MonitoringSample>;
    static constexpr auto kPause = std::chrono::milliseconds(50);

    // `take` runs on the loop's thread.
    static Result<std::unique_ptr<SampleDesk>> open(EventLoop& loop, std::function<Sample()> take);
    ~SampleDesk();
    SampleDesk(const SampleDesk&) = delete;
    SampleDesk& operator=(const SampleDesk&) = delete;

    // Any thread but control's. Null: control did not come to it in time, or the desk is closed.
    Sample ask(std::chrono::milliseconds patience);
    // Control: nobody waits any longer.
    void close();

  private:
    using Clock = std::chrono::steady_clock;

    SampleDesk(EventLoop& loop, int wake_fd, std::function<Sample()> take);
    void serve();

    int wake_fd_;
    std::function<Sample()> take_;
    std::mutex mutex_;  // of everything below
    std::condition_variable has_news_;
    Sample last_;
    Clock::time_point taken_at_;  // when `last_` was begun
    bool is_wanted_ = false;
    bool is_closed_ = false;
    EventLoop::Source waking_;  // last: it goes first
};

}  // namespace rampart
