#include "control/publisher.h"

#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

#include "dataplane/worker.h"
#include "rules/sets/set_use.h"

namespace rampart {
namespace {

constexpr std::chrono::microseconds kPollInterval{200};

enum class CounterKind : uint8_t { Rule, Logged, Suppressed, Policy, Named, Implicit };

// What keeps its count from one generation to the next. Its texts are those of a Ruleset.
struct CounterKey {
    CounterKind kind;
    std::string_view chain;
    std::string_view id;

    bool operator==(const CounterKey&) const noexcept = default;
};

struct CounterKeyHash {
    size_t operator()(const CounterKey& key) const noexcept {
        const std::hash<std::string_view> hash;
        return hash(key.id) * 31 + hash(key.chain) * 5 + static_cast<size_t>(key.kind);
    }
};

template <typename Visit>
void for_each_counter(const Ruleset& ruleset, Visit visit) {
    for (const Chain& chain : ruleset.chains) {
        for (const Rule& rule : chain.rules) {
            visit({CounterKind::Rule, chain.name, rule.id}, rule.rule_index);
            if (rule.logged_index == kNotNumbered) continue;
            visit({CounterKind::Logged, chain.name, rule.id}, rule.logged_index);
            visit({CounterKind::Suppressed, chain.name, rule.id}, rule.logged_index + 1);
        }
        if (chain.policy != Policy::None)
            visit({CounterKind::Policy, chain.name, {}}, chain.policy_index);
    }
    for (const NamedCounter& counter : ruleset.counters)
        visit({CounterKind::Named, {}, counter.name}, counter.index);
    if (ruleset.allow_neighbour_discovery)
        visit({CounterKind::Implicit, {}, {}}, ruleset.neighbour_discovery_index);
}

std::vector<RuleCount> add_up(const Snapshot& snapshot, std::vector<RuleCount> base) {
    const std::vector<RuleCount> counted = snapshot.counts();
    for (size_t i = 0; i < base.size(); ++i) {
        base[i].packets += counted[i].packets;
        base[i].bytes += counted[i].bytes;
        base[i].flows_cut += counted[i].flows_cut;
    }
    return base;
}

std::vector<RuleCount> carried(const Snapshot& from, const std::vector<RuleCount>& counts,
                               const Snapshot& to) {
    if (from.lineage == to.lineage) {
        std::vector<RuleCount> same = counts;
        same.resize(to.ruleset.index_count);
        return same;
    }
    if (to.reload.reset_counters) return std::vector<RuleCount>(to.ruleset.index_count);
    return carry_over(from.ruleset, counts, to.ruleset);
}

uint64_t flows_cut_in(const Snapshot& snapshot) {
    if (!snapshot.reload.recheck) return 0;
    uint64_t total = 0;
    for (const RuleCount& count :
         add_up(snapshot, std::vector<RuleCount>(snapshot.ruleset.index_count)))
        total += count.flows_cut;
    return total;
}

}  // namespace

std::vector<RuleCount> carry_over(const Ruleset& from, const std::vector<RuleCount>& counts,
                                  const Ruleset& to) {
    std::unordered_map<CounterKey, RuleCount, CounterKeyHash> known;
    known.reserve(from.index_count);
    for_each_counter(from, [&](const CounterKey& key, RuleIndex index) {
        RuleCount& count = known[key];
        count.packets += counts[index].packets;
        count.bytes += counts[index].bytes;
        count.flows_cut += counts[index].flows_cut;
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
    const bool is_loaded = snapshot->lineage == 0;
    if (is_loaded) snapshot->lineage = snapshot->generation;
    for (size_t i = 0; i < workers_.size(); ++i)
        snapshot->paths.push_back(std::make_unique<PathTable>(snapshot->ruleset.index_count));
    if (!generations_.empty() && is_loaded)
        carry_sets(current().ruleset.names, snapshot->ruleset.names,
                   clock_ != nullptr ? clock_->now() : Now{});
    std::vector<uint32_t> flow_slots;
    for (const Worker* worker : workers_)
        flow_slots.push_back(worker->flows().capacity());
    states_.attach(*snapshot, flow_slots);
    if (generations_.empty()) base_.assign(snapshot->ruleset.index_count, {});
    generations_.push_back(std::move(snapshot));
    for (Worker* worker : workers_)
        worker->publish(generations_.back().get());
    return last_generation_;
}

// Numbers that no generation has.
void Publisher::note_changed_set() {
    generations_.back()->epoch.store(0x8000'0000 | ++set_changes_, std::memory_order_release);
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
    active_since_ = std::chrono::steady_clock::now();
    collect();
    return true;
}

void Publisher::collect() {
    if (!is_active()) return;
    while (generations_.size() > 1) {
        const Snapshot& oldest = *generations_[0];
        flows_cut_ += flows_cut_in(oldest);
        base_ = carried(oldest, add_up(oldest, std::move(base_)), *generations_[1]);
        generations_.pop_front();
    }
    if (!generations_.empty()) states_.collect(generations_.front()->generation);
}

std::vector<RuleCount> Publisher::counts() const {
    std::vector<RuleCount> counts = base_;
    for (size_t i = 0; i < generations_.size(); ++i) {
        if (i != 0) counts = carried(*generations_[i - 1], counts, *generations_[i]);
        counts = add_up(*generations_[i], std::move(counts));
    }
    return counts;
}

bool Publisher::reset_counts(const std::vector<RuleIndex>& indices) {
    collect();
    if (generations_.size() != 1) return false;
    const std::vector<RuleCount> counted = counts();
    for (const RuleIndex index : indices) {
        base_[index].packets -= counted[index].packets;
        base_[index].bytes -= counted[index].bytes;
        base_[index].flows_cut -= counted[index].flows_cut;
    }
    return true;
}

uint64_t Publisher::flows_cut() const {
    uint64_t total = flows_cut_;
    for (const auto& snapshot : generations_)
        total += flows_cut_in(*snapshot);
    return total;
}

}  // namespace rampart
