#include "control/event_loop.h"

#include <cstring>
#include <utility>

#include <systemd/sd-event.h>

#include "base/assert.h"

namespace rampart {

class EventLoop::Registration {
  public:
    ~Registration() { sd_event_source_disable_unref(source); }

    sd_event_source* source = nullptr;
    std::function<void(uint32_t)> callback;
    uint64_t period_us = 0;

    // The callback may destroy its own registration, so it is called through a copy.
    void call(uint32_t events) {
        const std::function<void(uint32_t)> copy = callback;
        copy(events);
    }
};

namespace {

using Registration = EventLoop::Registration;

int on_io_event(sd_event_source*, int, uint32_t events, void* data) {
    static_cast<Registration*>(data)->call(events);
    return 0;
}

int on_time_event(sd_event_source* source, uint64_t, void* data) {
    Registration* registration = static_cast<Registration*>(data);
    // Armed before the callback: it may end the registration.
    sd_event_source_set_time_relative(source, registration->period_us);
    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    registration->call(0);
    return 0;
}

int on_idle_event(sd_event_source*, void* data) {
    static_cast<Registration*>(data)->call(0);
    return 0;
}

int on_signal_event(sd_event_source*, const signalfd_siginfo*, void* data) {
    static_cast<Registration*>(data)->call(0);
    return 0;
}

}  // namespace

EventLoop::Source::Source() = default;
EventLoop::Source::~Source() = default;
EventLoop::Source::Source(Source&&) noexcept = default;
EventLoop::Source& EventLoop::Source::operator=(Source&&) noexcept = default;
EventLoop::Source::Source(std::unique_ptr<Registration> registration)
    : registration_(std::move(registration)) {}

void EventLoop::Source::set_events(uint32_t events) {
    sd_event_source_set_io_events(registration_->source, events);
}

void EventLoop::Source::trigger() {
    sd_event_source_set_enabled(registration_->source, SD_EVENT_ONESHOT);
}

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
    sd_event* event = nullptr;
    if (const int error = sd_event_new(&event); error < 0)
        return failure(std::string("no event loop: ") + std::strerror(-error));
    return std::unique_ptr<EventLoop>(new EventLoop(event));
}

EventLoop::~EventLoop() {
    sd_event_unref(event_);
}

EventLoop::Source EventLoop::on_io(int fd, uint32_t events,
                                   std::function<void(uint32_t)> callback) {
    auto registration = std::make_unique<Registration>();
    registration->callback = std::move(callback);
    const int added =
        sd_event_add_io(event_, &registration->source, fd, events, on_io_event, registration.get());
    RAMPART_ASSERT(added >= 0);
    return Source(std::move(registration));
}

EventLoop::Source EventLoop::every(uint64_t period_us, std::function<void()> callback) {
    auto registration = std::make_unique<Registration>();
    registration->callback = [call = std::move(callback)](uint32_t) { call(); };
    registration->period_us = period_us;
    const int added =
        sd_event_add_time_relative(event_, &registration->source, CLOCK_MONOTONIC, period_us,
                                   period_us / 10, on_time_event, registration.get());
    RAMPART_ASSERT(added >= 0);
    return Source(std::move(registration));
}

EventLoop::Source EventLoop::when_idle(std::function<void()> callback) {
    auto registration = std::make_unique<Registration>();
    registration->callback = [call = std::move(callback)](uint32_t) { call(); };
    const int added =
        sd_event_add_defer(event_, &registration->source, on_idle_event, registration.get());
    RAMPART_ASSERT(added >= 0);
    sd_event_source_set_enabled(registration->source, SD_EVENT_OFF);
    sd_event_source_set_priority(registration->source, SD_EVENT_PRIORITY_IDLE);
    return Source(std::move(registration));
}

EventLoop::Source EventLoop::on_signal(int signal, std::function<void()> callback) {
    auto registration = std::make_unique<Registration>();
    registration->callback = [call = std::move(callback)](uint32_t) { call(); };
    const int added = sd_event_add_signal(event_, &registration->source, signal, on_signal_event,
                                          registration.get());
    RAMPART_ASSERT(added >= 0);
    return Source(std::move(registration));
}

void EventLoop::run() {
    sd_event_loop(event_);
}

void EventLoop::stop() {
    sd_event_exit(event_, 0);
}

}  // namespace rampart
