#include "control/worker_drain.h"

#include "dataplane/worker.h"

namespace rampart {

constexpr std::chrono::seconds kPatience{5};

WorkerDrain::WorkerDrain(const std::vector<Worker*>& workers) {
    for (Worker* worker : workers)
        waiting_.push_back({worker});
}

bool WorkerDrain::is_done() {
    if (begin_ == std::chrono::steady_clock::time_point{})
        begin_ = std::chrono::steady_clock::now();
    // What was taken last is done when the loop that took it has ended.
    std::erase_if(waiting_, [](Progress& progress) {
        const uint64_t loops = progress.worker->counters().loops.load();
        if (!progress.was_empty) {
            progress.was_empty = progress.worker->mailbox().is_empty();
            progress.loops = loops;
            return false;
        }
        return loops > progress.loops + 1;
    });
    return waiting_.empty();
}

bool WorkerDrain::is_late() const {
    return std::chrono::steady_clock::now() - begin_ > kPatience;
}

}  // namespace rampart
