// EventLoop: the control thread's loop over sd-event: file descriptors, timers and signals.
//
// Callbacks run one at a time on the thread that called run(). A Source is a registration: while it
// lives its callback may be called; destroying it ends that, also from within the callback itself.
// The loop must outlive its Sources. Signals must be blocked in all threads before they are added.
// Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"

struct sd_event;

namespace rampart {

class EventLoop {
  public:
    class Registration;

    class Source {
      public:
        Source();
        ~Source();
        Source(Source&&) noexcept;
        Source& operator=(Source&&) noexcept;

        // For descriptors: the events (EPOLLIN, EPOLLOUT) to wait for from now on.
        void set_events(uint32_t events);
        // For idle work: call back once, when nothing else is to be done.
        void trigger();

      private:
        friend class EventLoop;
        explicit Source(std::unique_ptr<Registration> registration);
        std::unique_ptr<Registration> registration_;
    };

    static Result<std::unique_ptr<EventLoop>> create();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // The callback receives the events that are ready.
    Source on_io(int fd, uint32_t events, std::function<void(uint32_t)> callback);
    Source every(uint64_t period_us, std::function<void()> callback);
    // Work that can wait: called once after each trigger(), behind everything else that is due.
    Source when_idle(std::function<void()> callback);
    Source on_signal(int signal, std::function<void()> callback);

    // Until stop().
    void run();
    void stop();

  private:
    explicit EventLoop(sd_event* event) : event_(event) {}
    sd_event* event_;
};

}  // namespace rampart
