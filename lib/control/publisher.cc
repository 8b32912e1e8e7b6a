#include "control/publisher.h"

#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "dataplane/worker.h"

namespace rampart {
namespace {

constexpr std::chrono::microseconds kPollInterval{200};

// Chain and rule id; policies have no id, implicit rules no chain.
using CounterKey = std::pair<std::string, std::string>;
constexpr const char* kNeighbourDiscovery = "neighbour-discovery";

template <typename Visit>
void for_each_counter(const Ruleset& ruleset, Visit visit) {
    for (const Chain& chain : ruleset.chains) {
        for (const Rule& rule : chain.rules)
            visit(CounterKey(chain.name, rule.id), rule.rule_index);
        if (chain.policy != Policy::None) visit(CounterKey(chain.name, ""), chain.policy_index);
    }
    for (const NamedCounter& counter : ruleset.counters)
        visit(CounterKey("", "counter " + counter.name), counter.index);
    if (ruleset.allow_neighbour_discovery)
        visit(CounterKey("", kNeighbourDiscovery), ruleset.neighbour_discovery_index);
}

std::vector<RuleCount> add_up(const Snapshot& snapshot, std::vector<RuleCount> base) {
    const std::vector<RuleCount> counted = snapshot.counts();
    for (size_t i = 0; i < base.size(); ++i) {
        base[i].packets += counted[i].packets;
        base[i].bytes += counted[i].bytes;
    }
    return base;
}

}  // namespace

std::vector<RuleCount> carry_over(const Ruleset& from, const std::vector<RuleCount>& counts,
                                  const Ruleset& to) {
    std::map<CounterKey, RuleCount> known;
    for_each_counter(from, [&](CounterKey key, RuleIndex index) {
        RuleCount& count = known[std::move(key)];
        count.packets += counts[index].packets;
        count.bytes += counts[index].bytes;
    });
    std::vector<RuleCount> moved(to.index_count);
    for_each_counter(to, [&](const CounterKey& key, RuleIndex index) {
        const auto found = known.find(key);
        if (found == known.end()) return;
        moved[index] = found->second;
        known.erase(found);  // should an id stand twice, its count does not
    });
    return moved;
}

uint32_t Publisher::publish(std::unique_ptr<Snapshot> snapshot) {
    snapshot->generation = ++last_generation_;
    for (size_t i = 0; i < workers_.size(); ++i)
        snapshot->paths.push_back(std::make_unique<PathTable>(snapshot->ruleset.index_count));
    if (generations_.empty()) base_.assign(snapshot->ruleset.index_count, {});
    generations_.push_back(std::move(snapshot));
    for (Worker* worker : workers_)
        worker->publish(generations_.back().get());
    return last_generation_;
}

bool Publisher::is_active() const noexcept {
    for (const Worker* worker : workers_) {
        if (worker->seen_generation() < last_generation_) return false;
    }
    return !generations_.empty();
}

bool Publisher::wait_until_active(uint32_t timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (!is_active()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(kPollInterval);
    }
    collect();
    return true;
}

void Publisher::collect() {
    if (!is_active()) return;
    while (generations_.size() > 1) {
        const Snapshot& oldest = *generations_[0];
        base_ =
            carry_over(oldest.ruleset, add_up(oldest, std::move(base_)), generations_[1]->ruleset);
        generations_.pop_front();
    }
}

std::vector<RuleCount> Publisher::counts() const {
    std::vector<RuleCount> counts = base_;
    for (size_t i = 0; i < generations_.size(); ++i) {
        if (i != 0)
            counts = carry_over(generations_[i - 1]->ruleset, counts, generations_[i]->ruleset);
        counts = add_up(*generations_[i], std::move(counts));
    }
    return counts;
}

}  // namespace rampart
