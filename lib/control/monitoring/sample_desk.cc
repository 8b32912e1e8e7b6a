#include "control/monitoring/sample_desk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace rampart {

Result<std::unique_ptr<SampleDesk>> SampleDesk::open(EventLoop& loop,
                                                     std::function<Sample()> take) {
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return failure(std::string("monitoring: no eventfd: ") + std::strerror(errno));
    return std::unique_ptr<SampleDesk>(new SampleDesk(loop, fd, std::move(take)));
}

SampleDesk::SampleDesk(EventLoop& loop, int wake_fd, std::function<Sample()> take)
    : wake_fd_(wake_fd), take_(std::move(take)) {
    waking_ = loop.on_io(wake_fd_, EPOLLIN, [this](uint32_t) { serve(); });
}

SampleDesk::~SampleDesk() {
    close();
    waking_ = {};
    ::close(wake_fd_);
}

SampleDesk::Sample SampleDesk::ask(std::chrono::milliseconds patience) {
    const auto asked_at = Clock::now();
    const auto end = asked_at + patience;
    std::unique_lock lock(mutex_);
    while (!is_closed_) {
        if (last_ != nullptr && taken_at_ >= asked_at) return last_;
        const auto now = Clock::now();
        if (now >= end) break;
        if (now >= taken_at_ + kPause) {
            const uint64_t one = 1;
            is_wanted_ = true;
            if (write(wake_fd_, &one, sizeof(one)) != sizeof(one) && errno != EAGAIN) break;
            has_news_.wait_until(lock, end, [&] { return is_closed_ || taken_at_ >= asked_at; });
        } else {
            has_news_.wait_until(lock, std::min(end, taken_at_ + kPause));
        }
    }
    return nullptr;
}

void SampleDesk::serve() {
    uint64_t ignored;
    [[maybe_unused]] const ssize_t got = read(wake_fd_, &ignored, sizeof(ignored));
    {
        const std::lock_guard lock(mutex_);
        if (!is_wanted_) return;
        is_wanted_ = false;
    }
    const auto now = Clock::now();
    Sample sample = take_();
    {
        const std::lock_guard lock(mutex_);
        std::swap(last_, sample);
        taken_at_ = now;
    }
    has_news_.notify_all();
}

void SampleDesk::close() {
    {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
    }
    has_news_.notify_all();
}

}  // namespace rampart
