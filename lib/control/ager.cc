#include "control/ager.h"

#include <algorithm>

#include "dataplane/worker.h"

namespace rampart {

uint32_t sweep(const FlowTable& flows, Mailbox& mailbox, uint32_t first, uint32_t last, Tick now) {
    for (uint32_t i = first; i < last; ++i) {
        const Tick at = flows.sweep_at(i);
        if (at == 0 || !is_past(at, now)) continue;
        if (!mailbox.post({Command::Kind::Expire, i, 0, 0})) return i;
    }
    return last;
}

void Ager::turn(Tick now) {
    for (size_t i = 0; i < workers_.size(); ++i) {
        const FlowTable& flows = workers_[i]->flows();
        const uint32_t slice = flows.capacity() / kTurnsPerPass + 1;
        const uint32_t last = std::min(next_[i] + slice, flows.capacity());
        next_[i] = sweep(flows, workers_[i]->mailbox(), next_[i], last, now);
        if (next_[i] == flows.capacity()) next_[i] = 0;
    }
}

}  // namespace rampart
