#include "control/worker_watch.h"

#include <algorithm>

namespace rampart {

std::vector<WorkerWatch::Change> WorkerWatch::look(uint64_t now_ns) {
    std::vector<Change> changes;
    for (size_t worker = 0; worker < seen_.size(); ++worker) {
        Seen& seen = seen_[worker];
        const uint64_t turns = source_.turns(worker);
        if (turns != seen.turns || turns == UINT64_MAX) {
            if (seen.state != State::Turning)
                changes.push_back({worker, State::Turning, now_ns - seen.since_ns});
            seen = {turns, 0, 0, State::Turning};
            continue;
        }
        // The clock of another thread costs a system call, so it is read in doubt only.
        if (seen.state != State::Turning) continue;
        const uint64_t cpu_ns = source_.cpu_ns(worker);
        if (seen.since_ns == 0) {
            seen.since_ns = now_ns;
            seen.cpu_ns = cpu_ns;
        } else if (cpu_ns - seen.cpu_ns >= kLongestLoop_ns) {
            seen.state = State::Spinning;
        } else if (now_ns - seen.since_ns >= kLongestPause_ns) {
            seen.state = State::Blocked;
        }
        if (seen.state != State::Turning)
            changes.push_back({worker, seen.state, now_ns - seen.since_ns});
    }
    return changes;
}

bool WorkerWatch::is_any_stuck() const noexcept {
    return std::any_of(seen_.begin(), seen_.end(),
                       [](const Seen& seen) { return seen.state != State::Turning; });
}

uint64_t WorkerWatch::stuck_for_ns(size_t worker, uint64_t now_ns) const noexcept {
    const Seen& seen = seen_[worker];
    return seen.state == State::Turning ? 0 : now_ns - seen.since_ns;
}

}  // namespace rampart
