#include "decider.h"

namespace rampart {

namespace {

// A path may also be that of `raw`, which let the packet pass before something else dropped it.
bool was_asked(const Burst& burst, uint32_t i) noexcept {
    if (burst.verdict[i] == Verdict::Forward) return true;
    const DropReason reason = burst.reason[i];
    return burst.verdict[i] == Verdict::Drop &&
           (reason == DropReason::Policy || reason == DropReason::Rule ||
            reason == DropReason::Reject);
}

}  // namespace

DeciderFinder::DeciderFinder(const Ruleset& ruleset) : by_index_(ruleset.index_count) {
    for (const Chain& chain : ruleset.chains) {
        for (const Rule& rule : chain.rules)
            by_index_[rule.rule_index] = {rule.id, rule.place};
        if (chain.policy != Policy::None)
            by_index_[chain.policy_index] = {.id = chain.name, .is_policy = true};
    }
    if (ruleset.allow_neighbour_discovery)
        by_index_[ruleset.neighbour_discovery_index] = {.id = "neighbour-discovery"};
}

Decider DeciderFinder::find(const Burst& burst, uint32_t i, const PathTable& paths) const {
    const PathId path = burst.path[i];
    if (path == kNoPath || !was_asked(burst, i)) return {};
    return by_index_[paths.node(path).rule.load()];
}

}  // namespace rampart
