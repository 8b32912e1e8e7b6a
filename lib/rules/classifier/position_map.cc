#include "rules/classifier/position_map.h"

namespace rampart {

PositionMap PositionMap::between(const RuleList& indexed, const RuleList& now,
                                 RuleIndex first_new) {
    PositionMap map;
    uint32_t kept = 0;
    uint32_t from = 0;  // in `indexed`
    const auto erase_until = [&](const Rule* rule) {
        for (; from < indexed.size() && &indexed[from] != rule; ++from) {
            map.erased_.push_back(from);
            map.erased_ranks_.push_back(kept);
        }
    };
    for (uint32_t to = 0; to < now.size(); ++to) {
        const Rule* rule = &now[to];
        const bool is_same = from < indexed.size() && &indexed[from] == rule;
        if (!is_same && rule->rule_index >= first_new) {
            map.inserted_.push_back(to);
            map.inserted_ranks_.push_back(kept);
            continue;
        }
        erase_until(rule);
        ++from;
        ++kept;
    }
    erase_until(nullptr);
    return map;
}

}  // namespace rampart
