#include "control/control_calls.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

namespace rampart {

Result<std::unique_ptr<ControlCalls>> ControlCalls::open(EventLoop& loop) {
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return failure(std::string("no eventfd: ") + std::strerror(errno));
    return std::unique_ptr<ControlCalls>(new ControlCalls(loop, fd));
}

ControlCalls::ControlCalls(EventLoop& loop, int fd) : fd_(fd) {
    source_ = loop.on_io(fd_, EPOLLIN, [this](uint32_t) { serve(); });
}

ControlCalls::~ControlCalls() {
    close();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ == 0; });
    ::close(fd_);
}

void ControlCalls::close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    queue_.clear();
    changed_.notify_all();
}

void ControlCalls::run(std::function<void()> function, std::chrono::milliseconds patience) {
    Entry entry{std::move(function)};
    std::unique_lock lock(mutex_);
    if (is_closed_) return;
    ++inside_;
    queue_.push_back(&entry);
    eventfd_write(fd_, 1);
    changed_.wait_for(lock, patience, [&] { return entry.state != State::Queued || is_closed_; });
    if (entry.state == State::Queued)
        std::erase(queue_, &entry);
    else
        changed_.wait(lock, [&] { return entry.state == State::Done; });
    --inside_;
    if (is_closed_) changed_.notify_all();
}

// One function at a time: what else is due comes in between.
void ControlCalls::serve() {
    eventfd_t count = 0;
    eventfd_read(fd_, &count);
    std::unique_lock lock(mutex_);
    if (queue_.empty()) return;
    Entry& entry = *queue_.front();
    queue_.pop_front();
    if (!queue_.empty()) eventfd_write(fd_, 1);
    entry.state = State::Running;
    lock.unlock();
    try {
        entry.function();
    } catch (const std::exception& problem) {
        spdlog::error("a question of another thread failed: {}", problem.what());
    }
    lock.lock();
    entry.state = State::Done;
    changed_.notify_all();
}

}  // namespace rampart
