#include "control/monitoring/rate_history.h"

#include "control/stats.h"

namespace rampart {

void RateHistory::add(const Stats& stats, uint64_t flows, uint64_t wall_s) {
    Second second{.wall_s = wall_s,
                  .received = stats.rate(&Totals::received),
                  .forwarded = stats.rate(&Totals::forwarded),
                  .dropped = stats.drop_rate(),
                  .received_bytes = stats.all_ports_rate(&PortTotals::received_bytes),
                  .transmitted_bytes = stats.all_ports_rate(&PortTotals::transmitted_bytes),
                  .flows_new = stats.rate(&Totals::inserted),
                  .flows = flows};
    if (ring_.size() < kSeconds) {
        ring_.push_back(second);
        return;
    }
    ring_[next_] = second;
    next_ = (next_ + 1) % kSeconds;
}

std::vector<RateHistory::Second> RateHistory::seconds() const {
    std::vector<Second> list(ring_.begin() + static_cast<std::ptrdiff_t>(next_), ring_.end());
    list.insert(list.end(), ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(next_));
    return list;
}

}  // namespace rampart
