#include "control/set_keeper.h"

#include "dataplane/worker.h"

namespace rampart {

void SetKeeper::changed(const SetHandle& handle) {
    if (!handle.set->is_dynamic() && handle.is_in_verdicts) publisher_.note_changed_set();
    RetiredList retired = handle.set->take_retired();
    if (retired.empty()) return;
    Waiting waiting{std::move(retired), {}};
    for (const Worker* worker : workers_)
        waiting.turns.push_back(worker->turns());
    waiting_.push_back(std::move(waiting));
}

void SetKeeper::turn(const Now& now) {
    reclaim();
    for (const std::shared_ptr<SetHandle>& handle : handles())
        if (handle->set->sweep(now)) changed(*handle);
}

// A worker whose count has moved on has ended the loop in which it could still see it.
void SetKeeper::reclaim() {
    while (!waiting_.empty()) {
        for (size_t i = 0; i < workers_.size(); ++i) {
            const uint64_t turns = workers_[i]->turns();
            if (turns <= waiting_.front().turns[i] && turns != UINT64_MAX) return;
        }
        waiting_.pop_front();
    }
}

}  // namespace rampart
