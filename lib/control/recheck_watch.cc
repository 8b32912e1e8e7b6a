#include "control/recheck_watch.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "control/publisher.h"

namespace rampart {
namespace {

constexpr size_t kNamedRules = 8;

}  // namespace

std::string describe_flows_cut(const Publisher& publisher) {
    const std::vector<RuleCount> counts = publisher.counts();
    std::vector<std::pair<uint64_t, std::string>> rules;
    for (const Chain& chain : publisher.current().ruleset.chains) {
        for (const Rule& rule : chain.rules) {
            const uint64_t cut = counts[rule.rule_index].flows_cut;
            if (cut != 0) rules.emplace_back(cut, fmt::format("rule {} ({})", rule.id, rule.place));
        }
        const uint64_t cut =
            chain.policy != Policy::None ? counts[chain.policy_index].flows_cut : 0;
        if (cut != 0) rules.emplace_back(cut, fmt::format("policy of {}", chain.name));
    }
    std::stable_sort(rules.begin(), rules.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::string text;
    for (size_t i = 0; i < std::min(rules.size(), kNamedRules); ++i)
        text += fmt::format("{}{} {}", i == 0 ? "" : ", ", rules[i].second, rules[i].first);
    if (rules.size() > kNamedRules) text += fmt::format(", {} more", rules.size() - kNamedRules);
    return text;
}

void RecheckWatch::look(const Publisher& publisher) {
    const uint64_t cut = publisher.flows_cut();
    if (cut == told_) return;
    spdlog::info("recheck: {} flows ended that generation {} would not let begin; in all: {}",
                 cut - told_, publisher.current().generation, describe_flows_cut(publisher));
    told_ = cut;
}

}  // namespace rampart
