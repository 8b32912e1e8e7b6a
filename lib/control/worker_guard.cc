#include "control/worker_guard.h"

#include <ctime>

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

namespace rampart {
namespace {

uint64_t steady_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

WorkerGuard::WorkerGuard(EventLoop& loop, const Datapath& datapath)
    : datapath_(datapath), watch_(*this) {
    looking_ = loop.every(WorkerWatch::kPeriod_us, [this] { look(); });
    uint64_t interval_us = 0;
    if (sd_watchdog_enabled(0, &interval_us) > 0)
        feeding_ = loop.every(interval_us / 4, [this] { feed_watchdog(); });
}

WorkerGuard::~WorkerGuard() = default;

uint64_t WorkerGuard::turns(size_t worker) const {
    return datapath_.workers()[worker]->turns();
}

uint64_t WorkerGuard::cpu_ns(size_t worker) const {
    return datapath_.worker_thread(worker).cpu_ns();
}

void WorkerGuard::look() {
    for (const WorkerWatch::Change& change : watch_.look(steady_ns())) {
        const unsigned cpu = datapath_.worker_cpus()[change.worker];
        const uint64_t ms = change.for_ns / 1'000'000;
        switch (change.state) {
            case WorkerWatch::State::Turning:
                spdlog::warn("worker {} (CPU {}) is back after {} ms", change.worker, cpu, ms);
                break;
            case WorkerWatch::State::Spinning:
                spdlog::critical("worker {} (CPU {}) is stuck: it has not ended its loop for {} ms",
                                 change.worker, cpu, ms);
                break;
            case WorkerWatch::State::Blocked:
                spdlog::critical("worker {} (CPU {}) is stuck: it has not run for {} ms",
                                 change.worker, cpu, ms);
                break;
        }
    }
}

void WorkerGuard::feed_watchdog() {
    if (!watch_.is_any_stuck()) sd_notify(0, "WATCHDOG=1");
}

std::vector<WorkerGuard::Stuck> WorkerGuard::stuck() const {
    std::vector<Stuck> list;
    for (size_t worker = 0; worker < workers(); ++worker) {
        const WorkerWatch::State state = watch_.state(worker);
        if (state == WorkerWatch::State::Turning) continue;
        list.push_back({worker, datapath_.worker_cpus()[worker],
                        state == WorkerWatch::State::Spinning,
                        watch_.stuck_for_ns(worker, steady_ns()) / 1'000'000});
    }
    return list;
}

}  // namespace rampart
