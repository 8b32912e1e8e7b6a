// ControlCalls: what other threads have the control thread do for them.
//
//   another thread   call(function) --- queue, eventfd --->         waits
//   control thread                        event loop: function() ---> result
//
// Nothing of the Controller may be touched by another thread; threads that serve somebody (HTTP,
// DPDK's telemetry) ask here. A function runs between two tasks of the event loop, so everything is
// as a command finds it; it should take no longer than a slice (slice_timer.h), and return what it
// found as a value. One lock, held for the time it takes to queue or to take out an entry.
//
// call() is for any thread but control's; open() and close() are control's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>

#include "base/result.h"
#include "control/event_loop.h"

namespace rampart {

class ControlCalls {
  public:
    static constexpr std::chrono::milliseconds kPatience{2000};

    static Result<std::unique_ptr<ControlCalls>> open(EventLoop& loop);
    ~ControlCalls();  // close(); returns when nobody is inside call() any more
    ControlCalls(const ControlCalls&) = delete;
    ControlCalls& operator=(const ControlCalls&) = delete;

    // What `function` returned. Nothing: it was not begun within `patience` and never will be, it
    // threw, or the daemon is ending. `function` may refer to what the caller owns: it does not
    // run any more when this returns.
    template <typename Function>
    std::optional<std::invoke_result_t<Function&>> call(
        Function function, std::chrono::milliseconds patience = kPatience) {
        std::optional<std::invoke_result_t<Function&>> result;
        run([&] { result.emplace(function()); }, patience);
        return result;
    }

    // No function begins any more; those who wait get nothing.
    void close();

  private:
    enum class State : uint8_t { Queued, Running, Done };
    struct Entry {
        std::function<void()> function;
        State state = State::Queued;
    };
    ControlCalls(EventLoop& loop, int fd);
    void run(std::function<void()> function, std::chrono::milliseconds patience);
    void serve();

    const int fd_;  // eventfd: there is something in the queue
    EventLoop::Source source_;
    std::mutex mutex_;  // of all below
    std::condition_variable changed_;
    std::deque<Entry*> queue_;  // of those who wait in run()
    unsigned inside_ = 0;       // run()
    bool is_closed_ = false;
};

}  // namespace rampart
