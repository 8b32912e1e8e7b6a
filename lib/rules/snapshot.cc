#include "rules/snapshot.h"

namespace rampart {

std::vector<RuleCount> Snapshot::counts() const {
    std::vector<RuleCount> counts(ruleset.index_count);
    for (const std::unique_ptr<PathTable>& table : paths)
        table->add_up(counts);
    for (const NamedCounter& counter : ruleset.counters) {
        for (const RuleIndex rule : counter.rules) {
            counts[counter.index].packets += counts[rule].packets;
            counts[counter.index].bytes += counts[rule].bytes;
        }
    }
    return counts;
}

std::unique_ptr<Snapshot> Snapshot::with_ruleset(Ruleset changed) const {
    auto next = std::make_unique<Snapshot>();
    next->lineage = lineage;
    next->ruleset = std::move(changed);
    next->conntrack = conntrack;
    next->link = link;
    next->logging = logging;
    next->reload = reload;
    return next;
}

}  // namespace rampart
