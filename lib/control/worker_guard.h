// WorkerGuard: tells the log and the service manager when a worker hangs.
//
// Looks every 4 ms (WorkerWatch). While all workers turn, and the control thread comes to it, the
// service manager is told that the daemon lives (WatchdogSec=); it is not while one hangs, so
// systemd ends the daemon and starts it again. Control thread only.
#pragma once

#include <string>
#include <vector>

#include "control/datapath.h"
#include "control/event_loop.h"
#include "control/worker_watch.h"

namespace rampart {

class WorkerGuard : private WorkerWatch::Source {
  public:
    // The workers run already. `clock_ns`: steady.
    WorkerGuard(EventLoop& loop, const Datapath& datapath);
    ~WorkerGuard() override;
    WorkerGuard(const WorkerGuard&) = delete;
    WorkerGuard& operator=(const WorkerGuard&) = delete;

    // What the timers do; also for those who keep the loop waiting on purpose.
    void look();
    void feed_watchdog();

    struct Stuck {
        size_t worker;
        unsigned cpu;
        bool is_spinning;
        uint64_t for_ms;
    };
    std::vector<Stuck> stuck() const;

  private:
    size_t workers() const override { return datapath_.workers().size(); }
    uint64_t turns(size_t worker) const override;
    uint64_t cpu_ns(size_t worker) const override;

    const Datapath& datapath_;
    WorkerWatch watch_;
    EventLoop::Source looking_;
    EventLoop::Source feeding_;
};

}  // namespace rampart
